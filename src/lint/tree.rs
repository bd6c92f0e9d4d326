//! YAML, JSON, JSON Lines and TOML: trees of values whose strings are replies.

use jsonc_parser::ast;
use jsonc_parser::{CollectOptions, ParseOptions, parse_to_ast};
use saphyr_parser::{Event, Parser, ScalarStyle};
use toml::de::{DeTable, DeValue};

use crate::lint::align::{Syntax, align};
use crate::lint::script::{Keys, Place, QUESTIONS, REPLIES, Reply, SPEAKERS, Script, name_key, script_role};
use crate::model::SpeakerRole;
use crate::span::Span;

/// Deeper nesting is refused: no script has it.
const DEEPEST: usize = 128;

#[derive(Debug)]
enum Node {
    Text {
        text: String,
        whole: Span,
        inside: Span,
        syntax: Syntax,
    },
    List(Vec<Node>),
    Map(Vec<(String, Node)>),
    /// A number, a truth value, nothing, an alias of what stands elsewhere.
    Other,
}

/// Reads YAML, several documents too.
pub fn yaml(script: &mut Script, keys: &Keys) {
    let text = script.source.text.clone();
    let mut events = Events { parser: Parser::new_from_str(&text), text: &text, byte: 0, character: 0 };
    let mut nodes = Vec::new();
    let failed = loop {
        match events.next() {
            Ok(None) => break None,
            Ok(Some((Event::DocumentStart(_), _))) => match events.next().and_then(|event| events.node(event, 0)) {
                Ok(node) => nodes.push(node),
                Err(failed) => break Some(failed),
            },
            Ok(Some(_)) => {}
            Err(failed) => break Some(failed),
        }
    };
    for node in &nodes {
        collect(script, keys, node, &mut Vec::new());
    }
    if let Some((at, message)) = failed {
        script.problem(at, "yaml", &message);
    }
}

/// Reads JSON; comments and commas at the end are allowed.
pub fn json(script: &mut Script, keys: &Keys) {
    let text = script.source.text.clone();
    json_value(script, keys, &text, 0);
}

/// Reads JSON Lines. A bad line does not keep the others from being read.
pub fn json_lines(script: &mut Script, keys: &Keys) {
    let text = script.source.text.clone();
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        if !line.trim().is_empty() {
            json_value(script, keys, line, at);
        }
        at += line.len();
    }
}

fn json_value(script: &mut Script, keys: &Keys, text: &str, base: usize) {
    let options = ParseOptions {
        allow_comments: true,
        allow_trailing_commas: true,
        allow_loose_object_property_names: false,
        allow_missing_commas: false,
        allow_single_quoted_strings: false,
        allow_hexadecimal_numbers: false,
        allow_unary_plus_numbers: false,
        allow_bare_decimal_point_numbers: false,
        allow_non_finite_numbers: false,
        allow_extended_string_escapes: false,
    };
    match parse_to_ast(text, &CollectOptions::default(), &options) {
        Ok(parsed) => {
            if let Some(value) = parsed.value {
                collect(script, keys, &json_node(value, base), &mut Vec::new());
            }
        }
        Err(error) => script.problem(base + error.range().start, "json", &error.kind().to_string()),
    }
}

fn json_node(value: ast::Value<'_>, base: usize) -> Node {
    match value {
        ast::Value::StringLit(literal) => {
            let whole = base + literal.range.start..base + literal.range.end;
            let inside = whole.start + 1..whole.end - 1;
            Node::Text {
                text: literal.value.into_owned(),
                whole,
                inside,
                syntax: Syntax { escapes: true, doubled: None },
            }
        }
        ast::Value::Array(array) => {
            Node::List(array.elements.into_iter().map(|value| json_node(value, base)).collect())
        }
        ast::Value::Object(object) => {
            let entry = |property: ast::ObjectProp<'_>| (property.name.into_string(), json_node(property.value, base));
            Node::Map(object.properties.into_iter().map(entry).collect())
        }
        _ => Node::Other,
    }
}

/// Reads TOML.
pub fn toml(script: &mut Script, keys: &Keys) {
    let text = script.source.text.clone();
    match DeTable::parse(&text) {
        Ok(table) => {
            let node = toml_table(table.into_inner(), &text).0;
            collect(script, keys, &node, &mut Vec::new());
        }
        Err(error) => {
            let message = error.message().replace('\n', ", ");
            script.problem(error.span().map_or(0, |span| span.start), "toml", &message);
        }
    }
}

/// The table in the order of the file, and where its first value starts.
fn toml_table(table: DeTable<'_>, source: &str) -> (Node, usize) {
    let mut entries: Vec<(usize, String, Node)> = Vec::new();
    for (key, value) in table {
        let at = key.span().start;
        entries.push((at, key.into_inner().into_owned(), toml_node(value.span(), value.into_inner(), source)));
    }
    entries.sort_by_key(|(at, _, _)| *at);
    let first = entries.first().map_or(0, |(at, _, _)| *at);
    (Node::Map(entries.into_iter().map(|(_, key, node)| (key, node)).collect()), first)
}

fn toml_node(whole: Span, value: DeValue<'_>, source: &str) -> Node {
    match value {
        DeValue::String(text) => {
            let raw = &source[whole.clone()];
            let quote = ["\"\"\"", "'''", "\"", "'"].into_iter().find(|quote| raw.starts_with(quote)).unwrap_or("");
            let inside =
                whole.start + quote.len()..whole.end.saturating_sub(quote.len()).max(whole.start + quote.len());
            let syntax = Syntax { escapes: quote.starts_with('"'), doubled: None };
            Node::Text { text: text.into_owned(), whole, inside, syntax }
        }
        DeValue::Array(values) => {
            Node::List(values.into_iter().map(|value| toml_node(value.span(), value.into_inner(), source)).collect())
        }
        DeValue::Table(table) => toml_table(table, source).0,
        _ => Node::Other,
    }
}

/// A place and what is wrong there.
type Failed = (usize, String);

/// The events of a YAML parser with byte offsets: it counts characters.
struct Events<'t> {
    parser: Parser<'t, saphyr_parser::StrInput<'t>>,
    text: &'t str,
    byte: usize,
    character: usize,
}

impl<'t> Events<'t> {
    fn next(&mut self) -> Result<Option<(Event<'t>, Span)>, Failed> {
        match self.parser.next_event() {
            None => Ok(None),
            Some(Ok((event, span))) => {
                let start = self.offset(span.start.index());
                let end = self.offset(span.end.index());
                Ok(Some((event, start..end)))
            }
            Some(Err(error)) => {
                let at = self.offset(error.marker().index());
                Err((at, error.info().to_owned()))
            }
        }
    }

    fn offset(&mut self, character: usize) -> usize {
        if character < self.character {
            (self.byte, self.character) = (0, 0);
        }
        let ahead = character - self.character;
        let step = self.text[self.byte..].char_indices().nth(ahead).map(|(at, _)| at);
        self.byte += step.unwrap_or(self.text.len() - self.byte);
        self.character = character;
        self.byte
    }

    fn node(&mut self, event: Option<(Event<'t>, Span)>, depth: usize) -> Result<Node, Failed> {
        let Some((event, span)) = event else { return Ok(Node::Other) };
        if depth > DEEPEST {
            return Err((span.start, format!("nested more than {DEEPEST} deep")));
        }
        match event {
            Event::Scalar(text, style, _, _) => Ok(scalar(text.into_owned(), style, span, self.text)),
            Event::SequenceStart(..) => {
                let mut nodes = Vec::new();
                loop {
                    match self.next()? {
                        Some((Event::SequenceEnd, _)) | None => return Ok(Node::List(nodes)),
                        event => nodes.push(self.node(event, depth + 1)?),
                    }
                }
            }
            Event::MappingStart(..) => {
                let mut entries = Vec::new();
                loop {
                    match self.next()? {
                        Some((Event::MappingEnd, _)) | None => return Ok(Node::Map(entries)),
                        key => {
                            let key = match key {
                                Some((Event::Scalar(key, ..), _)) => key.into_owned(),
                                other => {
                                    self.node(other, depth + 1)?;
                                    String::new()
                                }
                            };
                            let value = self.next()?;
                            entries.push((key, self.node(value, depth + 1)?));
                        }
                    }
                }
            }
            _ => Ok(Node::Other),
        }
    }
}

fn scalar(text: String, style: ScalarStyle, span: Span, source: &str) -> Node {
    let raw = &source[span.clone()];
    let quoted = |quote: char| {
        let open = usize::from(raw.starts_with(quote));
        let close = usize::from(raw.len() > 1 && raw.ends_with(quote));
        span.start + open..span.end - close
    };
    let (inside, syntax) = match style {
        ScalarStyle::Plain => {
            let special =
                matches!(text.as_str(), "" | "~" | "null" | "Null" | "NULL" | "true" | "false" | "True" | "False")
                    || text.parse::<f64>().is_ok();
            if special {
                return Node::Other;
            }
            (span.clone(), Syntax::default())
        }
        ScalarStyle::SingleQuoted => (quoted('\''), Syntax { escapes: false, doubled: Some('\'') }),
        ScalarStyle::DoubleQuoted => (quoted('"'), Syntax { escapes: true, doubled: None }),
        ScalarStyle::Literal | ScalarStyle::Folded => {
            // The header line (`|`, `>-`) where the span has it.
            let header = if raw.starts_with(['|', '>']) { raw.find('\n').map_or(0, |at| at + 1) } else { 0 };
            (span.start + header..span.end, Syntax::default())
        }
    };
    Node::Text { text, whole: span, inside, syntax }
}

/// Adds the strings below `node` to the script. `steps` leads to it.
fn collect(script: &mut Script, keys: &Keys, node: &Node, steps: &mut Vec<String>) {
    match node {
        Node::Other => {}
        Node::Text { .. } => {
            if let Some(reply) = add(script, keys, node, steps, SpeakerRole::Agent) {
                script.dialogues.push(vec![reply]);
            }
        }
        Node::List(nodes) => {
            if nodes.iter().all(|node| turn(node).is_some()) {
                let mut dialogue = Vec::new();
                for (at, node) in nodes.iter().enumerate() {
                    let (Some((role, key, text)), Node::Map(entries)) = (turn(node), node) else { continue };
                    for (other, node) in entries {
                        if let Node::Text { whole, .. } = node
                            && other != key
                        {
                            script.opaque.push(whole.clone());
                            script.skip("对话的其他字段");
                        }
                    }
                    steps.extend([at.to_string(), key.to_owned()]);
                    dialogue.extend(add(script, keys, text, steps, role));
                    steps.truncate(steps.len() - 2);
                }
                if !dialogue.is_empty() {
                    script.dialogues.push(dialogue);
                }
                return;
            }
            for (at, node) in nodes.iter().enumerate() {
                steps.push(at.to_string());
                collect(script, keys, node, steps);
                steps.pop();
            }
        }
        Node::Map(entries) => {
            let asks = |key: &str| QUESTIONS.contains(&name_key(key).as_str());
            let first = script.dialogues.len();
            let answers = entries.iter().any(|(key, _)| !asks(key) && REPLIES.contains(&name_key(key).as_str()));
            let (questions, rest): (Vec<_>, Vec<_>) = entries.iter().partition(|(key, _)| answers && asks(key));
            let mut asked = Vec::new();
            for (key, node) in questions {
                steps.push(key.clone());
                ask(script, node, steps, &mut asked);
                steps.pop();
            }
            for (key, node) in rest {
                steps.push(key.clone());
                collect(script, keys, node, steps);
                steps.pop();
            }
            for dialogue in script.dialogues.iter_mut().skip(first) {
                dialogue.splice(0..0, asked.iter().copied());
            }
        }
    }
}

/// The questions below `node`, as customers' turns.
fn ask(script: &mut Script, node: &Node, steps: &mut Vec<String>, asked: &mut Vec<usize>) {
    match node {
        Node::Text { .. } => asked.extend(add(script, &Keys::default(), node, steps, SpeakerRole::Customer)),
        Node::List(nodes) => {
            for (at, node) in nodes.iter().enumerate() {
                steps.push(at.to_string());
                ask(script, node, steps, asked);
                steps.pop();
            }
        }
        _ => collect(script, &Keys::default(), node, steps),
    }
}

/// Who says what in an element of a training dialogue.
fn turn(node: &Node) -> Option<(SpeakerRole, &str, &Node)> {
    let Node::Map(entries) = node else { return None };
    let role = entries.iter().find_map(|(key, node)| match node {
        Node::Text { text, .. } if SPEAKERS.contains(&name_key(key).as_str()) => script_role(text),
        _ => None,
    })?;
    let said = |name: &&str| entries.iter().find(|(key, _)| name_key(key) == **name);
    let (key, node) = REPLIES.iter().find_map(said).filter(|(_, node)| matches!(node, Node::Text { .. }))?;
    Some((role, key, node))
}

fn add(script: &mut Script, keys: &Keys, node: &Node, steps: &[String], role: SpeakerRole) -> Option<usize> {
    let Node::Text { text, whole, inside, syntax } = node else { return None };
    if text.trim().is_empty() {
        script.skip("空白");
        return None;
    }
    if !keys.select(steps) {
        script.opaque.push(whole.clone());
        script.skip("不在 --keys 之列");
        return None;
    }
    let alignment = align(text, &script.source.text[inside.clone()], inside.start, *syntax);
    let field: String = steps.iter().map(|step| format!("/{}", step.replace('~', "~0").replace('/', "~1"))).collect();
    let place = Place::Source { whole: whole.clone(), alignment };
    Some(script.add(Reply { role, text: text.clone(), place, field }))
}

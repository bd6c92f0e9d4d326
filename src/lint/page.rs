//! The page of a rule: what `explain` prints, what `docs/rules/` holds, what SARIF carries as help.

use crate::checker::Checker;
use crate::citation::Verdict;
use crate::lexicon::{Example, Rule};
use crate::lint::suppress;
use crate::model::{Channel, Family, Severity};

/// What there is to say about a rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// The rule's id.
    pub id: String,
    /// What is wrong, in a few words.
    pub title: String,
    /// How grave it is.
    pub severity: Severity,
    /// One of the nine families, `citation` or `suppression`.
    pub family: String,
    /// Everything, in Markdown, without the title.
    pub body: String,
}

/// The page of the rule called `id`; `None` where there is none.
pub fn page(checker: &Checker, id: &str) -> Option<Page> {
    if let Some(rule) = checker.rules.rule(id) {
        return Some(of_rule(checker, rule));
    }
    let simple = |title: &str, severity: Severity, body: String| Page {
        id: id.to_owned(),
        title: title.to_owned(),
        severity,
        family: id.split('.').next().unwrap_or("").to_owned(),
        body,
    };
    if let Some((_, title, advice)) = suppress::RULES.into_iter().find(|(rule, _, _)| *rule == id) {
        return Some(simple(title, Severity::Warning, format!("**怎么办**：{advice}\n")));
    }
    let verdict = Verdict::from_word(id.strip_prefix("citation.")?).filter(|verdict| verdict.is_wrong())?;
    let severity = if verdict == Verdict::NoSuchArticle { Severity::Error } else { Severity::Warning };
    Some(simple(
        verdict.chinese(),
        severity,
        format!("{}\n\n**怎么办**：核对现行条文后改引；拿不准时不引条号。\n", about(verdict)),
    ))
}

fn about(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Repealed => "话术引用的法律已经废止。照着念给客户听，等于告诉客户一条不存在的规定。",
        Verdict::Renumbered => "条号属于旧文本；同样的内容现在是另一条。",
        Verdict::NotInForce => "引用的法律或这一内容在当日还没有施行。",
        Verdict::NoSuchArticle => "这部法律没有这一条、款或项。",
        Verdict::ContentMismatch => "话术说的内容不是这一条规定的内容。",
        Verdict::Ok | Verdict::UnknownLaw => "",
    }
}

fn of_rule(checker: &Checker, rule: &Rule) -> Page {
    let mut body = format!("{}\n\n**改成**：{}\n\n**法条**\n\n", rule.why, rule.advice);
    for (reference, _) in &rule.statutes {
        if let Some(cited) = checker.statutes.resolve(reference) {
            let liability = cited.entry.liability.first().map_or(String::new(), |l| format!("（{}）", l.chinese()));
            body.push_str(&format!("- {}{liability}：{}\n", cited.label(), cited.gist()));
        }
    }
    let samples = |body: &mut String, title: &str, examples: &[(Example, crate::error::Diagnostic)]| {
        // Remembered rules come without them.
        if examples.is_empty() {
            return;
        }
        body.push_str(&format!("\n**{title}**\n\n"));
        for (example, _) in examples {
            match example {
                Example::Turn(text) => body.push_str(&format!("- {}\n", escape(text))),
                Example::Conversation(lines) => {
                    let lines: Vec<String> = lines.iter().map(|line| escape(line)).collect();
                    body.push_str(&format!("- {}\n", lines.join(" ／ ")));
                }
            }
        }
    };
    samples(&mut body, "命中", &rule.examples);
    samples(&mut body, "不命中", &rule.counterexamples);
    let channels: Vec<&str> = rule.channels.iter().map(|channel| channel_name(*channel)).collect();
    let channels = if rule.channels.len() == Channel::ALL.len() { "全部".to_owned() } else { channels.join("、") };
    body.push_str(&format!("\n适用：{channels}。依据：{}（{}）。\n", rule.source, rule.since));
    Page {
        id: rule.id.to_string(),
        title: rule.title.clone(),
        severity: rule.severity,
        family: rule.family.to_string(),
        body,
    }
}

fn channel_name(channel: Channel) -> &'static str {
    match channel {
        Channel::Chat => "在线",
        Channel::Call => "热线",
        Channel::Script => "话术",
    }
}

/// Characters that Markdown would take for markup.
fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if matches!(c, '\\' | '`' | '*' | '_' | '<' | '>' | '[' | ']' | '|' | '#' | '~') {
            out.push('\\');
        }
        out.push(if c.is_control() { ' ' } else { c });
    }
    out
}

/// The title line of a page.
pub fn heading(page: &Page) -> String {
    format!("{} {}（{}）", page.id, page.title, page.severity.chinese())
}

/// Every page, a document a family: name of the file and text, `README.md` first.
pub fn documents(checker: &Checker) -> Vec<(String, String)> {
    let mut families: Vec<(String, &str, Vec<String>)> = Family::CONDUCT
        .into_iter()
        .map(|family| {
            let rules = checker.rules.rules.iter().filter(|rule| rule.family == family);
            (family.to_string(), family.chinese(), rules.map(|rule| rule.id.to_string()).collect())
        })
        .collect();
    let verdicts = Verdict::ALL.into_iter().filter(|verdict| verdict.is_wrong());
    let citation = verdicts.map(|verdict| format!("citation.{verdict}")).collect();
    families.push(("citation".to_owned(), Family::Citation.chinese(), citation));
    let suppression = suppress::RULES.map(|(id, _, _)| id.to_owned()).to_vec();
    families.push(("suppression".to_owned(), "忽略", suppression));
    let mut index =
        "# 规则\n\n由规则文件生成：`zhijian explain --write docs/rules`。\n\n| 家族 | 规则 | 文件 |\n|---|---|---|\n"
            .to_owned();
    let mut documents = Vec::new();
    for (family, name, ids) in families {
        index.push_str(&format!("| {name} | {} | [{family}]({family}.md) |\n", ids.len()));
        let mut text = format!("# {name} {family}\n");
        for page in ids.iter().filter_map(|id| page(checker, id)) {
            text.push_str(&format!("\n## {}\n\n{}", heading(&page), page.body));
        }
        documents.push((format!("{family}.md"), text));
    }
    documents.insert(0, ("README.md".to_owned(), index));
    documents
}

//! SARIF 2.1.0, for code-review tools. Columns are counted in code points; paths are relative to the folder the tool runs in.

use std::collections::BTreeMap;
use std::io::{self, Write};

use serde_sarif::sarif::{
    ArtifactChange, ArtifactContent, ArtifactLocation, Fix, Invocation, Location, LogicalLocation, Message,
    MultiformatMessageString, Notification, PhysicalLocation, PropertyBag, Region, Replacement, ReportingConfiguration,
    ReportingDescriptor, Result as SarifResult, ResultLevel, Run, Sarif, Tool, ToolComponent,
};

use crate::model::Severity;

/// The name under which fingerprints are kept; the number rises when they are computed in another way.
const FINGERPRINT: &str = "zhijianReply/v1";

/// What the paths of results are relative to.
const BASE: &str = "%SRCROOT%";

/// What results refer to by id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SarifRule {
    /// The stable id.
    pub id: String,
    /// A few words.
    pub title: String,
    /// The level of results that do not say.
    pub severity: Severity,
    /// The rule's page in Markdown; may be empty.
    pub help: String,
    /// Words to filter by.
    pub tags: Vec<String>,
}

/// One result.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SarifFinding {
    /// The id of a rule.
    pub rule: String,
    /// How grave it is; as the rule says when left out.
    pub severity: Option<Severity>,
    /// What is wrong.
    pub message: String,
    /// The path, with `/` or `\`.
    pub path: String,
    /// First line, first column, last line, column after the last character; `None` where the file has no lines.
    pub region: Option<[u64; 4]>,
    /// The line as shown to people; may be empty.
    pub snippet: String,
    /// A place that is no line, as `话术!B7` or a JSON pointer; may be empty.
    pub logical: String,
    /// What stays the same when the finding moves; may be empty.
    pub fingerprint: String,
    /// What could be replaced, as `region`, and by what.
    pub replacement: Option<([u64; 4], String)>,
}

/// Writes one run. `rules` are listed in the order given. `problems` say what could not be read: the run then failed.
///
/// # Errors
/// When the output cannot be written.
pub fn write(
    mut out: impl Write,
    rules: &[SarifRule],
    findings: impl IntoIterator<Item = SarifFinding>,
    problems: &[String],
) -> io::Result<()> {
    let index: BTreeMap<&str, usize> = rules.iter().enumerate().map(|(at, rule)| (rule.id.as_str(), at)).collect();
    let results: Vec<SarifResult> = findings.into_iter().map(|finding| result(finding, &index)).collect();
    let driver = ToolComponent::builder()
        .name(env!("CARGO_PKG_NAME"))
        .version(env!("CARGO_PKG_VERSION"))
        .rules(rules.iter().map(descriptor).collect::<Vec<_>>())
        .build();
    let notification = |problem: &String| {
        let message = Message::builder().text(problem.as_str()).build();
        Notification::builder().level(serde_json::Value::from("error")).message(message).build()
    };
    let invocation = Invocation::builder()
        .execution_successful(problems.is_empty())
        .tool_execution_notifications(problems.iter().map(notification).collect::<Vec<_>>())
        .build();
    let base = ArtifactLocation::builder()
        .description(Message::builder().text("The folder the tool ran in: the root of the repository in CI.").build())
        .build();
    let run = Run::builder()
        .tool(Tool::builder().driver(driver).build())
        .invocations(vec![invocation])
        .original_uri_base_ids(BTreeMap::from([(BASE.to_owned(), base)]))
        .column_kind(serde_json::Value::from("unicodeCodePoints"))
        .results(results)
        .build();
    let sarif = Sarif::builder()
        .schema("https://json.schemastore.org/sarif-2.1.0.json")
        .version(serde_json::Value::from("2.1.0"))
        .runs(vec![run])
        .build();
    serde_json::to_writer_pretty(&mut out, &sarif)?;
    out.write_all(b"\n")?;
    out.flush()
}

fn descriptor(rule: &SarifRule) -> ReportingDescriptor {
    let title = MultiformatMessageString::builder().text(rule.title.as_str()).build();
    let level = ReportingConfiguration::builder().level(serde_json::Value::from(rule.severity.as_str())).build();
    let descriptor = ReportingDescriptor::builder()
        .id(rule.id.as_str())
        .short_description(title)
        .default_configuration(level)
        .properties(PropertyBag::builder().tags(rule.tags.clone()).additional_properties(BTreeMap::new()).build());
    if rule.help.is_empty() {
        return descriptor.build();
    }
    let help = MultiformatMessageString::builder().text(rule.help.as_str()).markdown(rule.help.as_str()).build();
    descriptor.help(help).build()
}

fn result(finding: SarifFinding, index: &BTreeMap<&str, usize>) -> SarifResult {
    let artifact = artifact(&finding.path);
    let physical = match finding.region.map(|numbers| region(numbers, &finding.snippet)) {
        Some(region) => PhysicalLocation::builder().artifact_location(artifact.clone()).region(region).build(),
        None => PhysicalLocation::builder().artifact_location(artifact.clone()).build(),
    };
    let mut location = Location::builder().physical_location(physical).build();
    if !finding.logical.is_empty() {
        let logical = LogicalLocation::builder().fully_qualified_name(finding.logical.as_str()).build();
        location.logical_locations = Some(vec![logical]);
    }
    let mut result = SarifResult::builder()
        .rule_id(finding.rule.as_str())
        .message(Message::builder().text(finding.message).build())
        .locations(vec![location])
        .build();
    result.rule_index = index.get(finding.rule.as_str()).and_then(|at| i64::try_from(*at).ok());
    result.level = finding.severity.map(|severity| match severity {
        Severity::Note => ResultLevel::Note,
        Severity::Warning => ResultLevel::Warning,
        Severity::Error => ResultLevel::Error,
    });
    if !finding.fingerprint.is_empty() {
        result.partial_fingerprints = Some(BTreeMap::from([(FINGERPRINT.to_owned(), finding.fingerprint)]));
    }
    if let Some((deleted, text)) = finding.replacement {
        let region = region(deleted, "");
        let content = ArtifactContent::builder().text(text.as_str()).build();
        let replacement = Replacement::builder().deleted_region(region).inserted_content(content).build();
        let change = ArtifactChange::builder().artifact_location(artifact).replacements(vec![replacement]).build();
        result.fixes = Some(vec![Fix::builder().artifact_changes(vec![change]).build()]);
    }
    result
}

fn region([line, column, end_line, end_column]: [u64; 4], snippet: &str) -> Region {
    let number = |n: u64| i64::try_from(n).unwrap_or(i64::MAX);
    let mut region = Region::builder()
        .start_line(number(line))
        .start_column(number(column))
        .end_line(number(end_line))
        .end_column(number(end_column))
        .build();
    if !snippet.is_empty() {
        region.snippet = Some(ArtifactContent::builder().text(snippet).build());
    }
    region
}

/// A relative path as a URI relative to the base; an absolute one as `file:`.
fn artifact(path: &str) -> ArtifactLocation {
    let path = path.replace('\\', "/");
    let mut uri = String::with_capacity(path.len());
    for byte in path.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte) {
            uri.push(char::from(byte));
        } else {
            uri.push_str(&format!("%{byte:02X}"));
        }
    }
    if uri.starts_with('/') {
        return ArtifactLocation::builder().uri(format!("file://{uri}")).build();
    }
    ArtifactLocation::builder().uri(uri).uri_base_id(BASE).build()
}

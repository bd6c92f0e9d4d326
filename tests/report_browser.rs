//! The page of a report in a real browser: what a transcript says stays text, filters and search work, the page fits a phone.
//!
//! Needs Chromium (Debian's `chromium`, or the path in `CHROMIUM`), so it runs only when asked for: `cargo test --test
//! report_browser -- --ignored`.

mod common;

use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use common::{DAY, HEADER, Workdir};
use serde_json::{Value, json};

/// A browser with one page, spoken to over the DevTools pipe: messages of JSON, each ended by a zero byte.
struct Browser {
    process: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
    session: Option<String>,
    next: u64,
    /// Errors and refusals that the page logged.
    complaints: Vec<String>,
}

impl Browser {
    fn start(profile: PathBuf) -> Browser {
        let named = std::env::var("CHROMIUM").ok();
        let names = ["chromium", "chromium-browser", "google-chrome"].map(str::to_owned);
        let runs = |name: &String| {
            let version = Command::new(name).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
            version.is_ok_and(|status| status.success())
        };
        let program = named.into_iter().chain(names).find(runs).expect("Chromium is installed");
        // The browser reads from descriptor 3 and writes to 4.
        let script = "exec \"$0\" --headless=new --no-sandbox --disable-gpu --remote-debugging-pipe \
                      --user-data-dir=\"$1\" about:blank 3<&0 4>&1 </dev/null >/dev/null 2>&1";
        let mut process = Command::new("sh")
            .args(["-c", script, &program])
            .arg(profile)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("a shell runs");
        let (input, output) = (process.stdin.take().expect("piped"), process.stdout.take().expect("piped"));
        let output = BufReader::new(output);
        let mut browser = Browser { process, input, output, session: None, next: 0, complaints: Vec::new() };
        let target = browser.call("Target.createTarget", json!({"url": "about:blank"}));
        let attached = browser.call("Target.attachToTarget", json!({"targetId": target["targetId"], "flatten": true}));
        browser.session = attached["sessionId"].as_str().map(str::to_owned);
        for domain in ["Page.enable", "Log.enable", "Runtime.enable"] {
            browser.call(domain, json!({}));
        }
        browser
    }

    fn call(&mut self, method: &str, params: Value) -> Value {
        self.next += 1;
        let mut message = json!({"id": self.next, "method": method, "params": params});
        if let Some(session) = &self.session {
            message["sessionId"] = session.as_str().into();
        }
        self.input.write_all(format!("{message}\0").as_bytes()).expect("the browser listens");
        loop {
            let message = self.message();
            if message["id"] == self.next {
                assert!(message["error"].is_null(), "{method}: {message}");
                return message["result"].clone();
            }
        }
    }

    fn message(&mut self) -> Value {
        let mut bytes = Vec::new();
        self.output.read_until(0, &mut bytes).expect("the browser answers");
        assert_eq!(bytes.pop(), Some(0), "the browser is alive");
        let message: Value = serde_json::from_slice(&bytes).expect("JSON");
        let method = message["method"].as_str().unwrap_or("");
        if matches!(method, "Log.entryAdded" | "Runtime.exceptionThrown" | "Page.javascriptDialogOpening") {
            self.complaints.push(message.to_string());
        }
        message
    }

    fn open(&mut self, path: &std::path::Path) {
        self.call("Page.navigate", json!({"url": format!("file://{}", path.display())}));
        while self.message()["method"] != "Page.loadEventFired" {}
    }

    fn width(&mut self, width: u32) {
        let metrics = json!({"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 600});
        self.call("Emulation.setDeviceMetricsOverride", metrics);
    }

    fn evaluate(&mut self, expression: &str) -> Value {
        let params = json!({"expression": expression, "returnByValue": true, "awaitPromise": true});
        let result = self.call("Runtime.evaluate", params);
        assert!(result["exceptionDetails"].is_null(), "{expression}: {result}");
        result["result"]["value"].clone()
    }

    /// Sets a filter as a hand would and returns what the page then says it shows.
    fn choose(&mut self, id: &str, value: &str) -> String {
        let expression = format!(
            "(() => {{ const control = document.getElementById({id:?}); control.value = {value:?}; \
             control.dispatchEvent(new Event('input', {{bubbles: true}})); \
             return new Promise((done) => setTimeout(() => done(document.getElementById('count').textContent), 400)); }})()"
        );
        self.evaluate(&expression).as_str().expect("text").to_owned()
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[test]
#[ignore = "needs Chromium"]
fn the_page_works_in_a_browser_and_transcripts_stay_text() {
    let dir = Workdir::new();
    let mut browser = Browser::start(dir.0.join("profile"));
    dir.file("day.csv", format!("{HEADER}{DAY}"));
    dir.report("day.csv", "out", &[]);
    browser.width(1280);
    browser.open(&dir.0.join("out/report.html"));
    let count = |browser: &mut Browser| browser.evaluate("document.getElementById('count').textContent");
    assert_eq!(count(&mut browser), "2 个会话，2 处命中");
    assert_eq!(browser.evaluate("document.querySelectorAll('.conversation').length"), 2);
    assert_eq!(browser.evaluate("document.querySelector('mark').textContent"), "傻子");
    let texts = browser.evaluate("[...document.querySelectorAll('.said')].map((said) => said.textContent).join('\\n')");
    let texts = texts.as_str().expect("text");
    assert!(texts.contains("<script>alert(1)</script>&<b>我叫张**</b>"), "{texts}");
    assert!(texts.contains("</script><img src=x onerror=alert(2)>"), "{texts}");
    assert_eq!(browser.evaluate("document.querySelectorAll('#list script, #list img, #list b b').length"), 0);

    assert_eq!(browser.choose("family", "0"), "1 个会话，1 处命中");
    assert_eq!(browser.choose("severity", "1"), "没有符合条件的会话");
    browser.evaluate("document.getElementById('reset').click()");
    assert_eq!(count(&mut browser), "2 个会话，2 处命中");
    assert_eq!(browser.choose("search", "等一等"), "1 个会话，1 处命中");
    assert_eq!(browser.evaluate("document.querySelector('.conversation b').textContent"), "b");
    assert_eq!(browser.choose("search", "等一等 没有这个词"), "没有符合条件的会话");
    browser.evaluate("document.getElementById('reset').click()");
    assert_eq!(browser.choose("state", "fatal"), "1 个会话，1 处命中");
    assert_eq!(browser.evaluate("location.hash"), "#state=fatal");
    browser.evaluate("document.getElementById('reset').click()");
    let article = browser.evaluate(
        "[...document.getElementById('article').options].find((option) => option.text.includes('第二十七条')).value",
    );
    assert_eq!(browser.choose("article", article.as_str().expect("a value")), "1 个会话，1 处命中");

    for width in [1280, 720, 390, 320] {
        browser.width(width);
        let (needed, has) = ("document.documentElement.scrollWidth", "document.documentElement.clientWidth");
        let (needed, has) = (browser.evaluate(needed), browser.evaluate(has));
        assert_eq!(needed, has, "at {width} pixels the page does not scroll sideways");
    }
    assert_eq!(browser.complaints, Vec::<String>::new());
}

#[test]
#[ignore = "needs Chromium"]
fn the_page_stays_quick_with_twenty_thousand_findings() {
    let dir = Workdir::new();
    let turn = |at: usize, turn: usize| {
        let said = ["客服", "客户", "客服"][turn];
        format!("c{at},在线,电商,{said},坐席{},2026-01-02 {:02}:00:{turn:02},傻子都懂的第{at}件事\n", at % 300, at % 24)
    };
    let rows: String = (0..10_000).flat_map(|at| (0..3).map(move |of| turn(at, of))).collect();
    dir.file("day.csv", format!("{HEADER}{rows}"));
    dir.report("day.csv", "out", &[]);
    let mut browser = Browser::start(dir.0.join("profile"));
    browser.width(1280);
    let start = Instant::now();
    browser.open(&dir.0.join("out/report.html"));
    let count = browser.evaluate("document.getElementById('count').textContent");
    assert_eq!(count, "10000 个会话，20000 处命中");
    let opened = start.elapsed();
    let start = Instant::now();
    assert_eq!(browser.choose("search", "第4711件"), "1 个会话，2 处命中");
    assert_eq!(browser.choose("search", "c47 第4711件"), "1 个会话，2 处命中");
    let searched = start.elapsed();
    assert!(opened < Duration::from_secs(10) && searched < Duration::from_secs(6), "{opened:?}, {searched:?}");
    // Only a page of them is drawn.
    assert_eq!(browser.evaluate("document.querySelectorAll('.conversation').length"), 1);
    browser.evaluate("document.getElementById('reset').click()");
    assert_eq!(browser.evaluate("document.querySelectorAll('.conversation').length"), 20);
}

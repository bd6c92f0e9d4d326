//! What is written in any shape is read back equal.

#[path = "common/files.rs"]
mod files;

use files::{cells, gzip, opendocument, workbook, zip};
use proptest::prelude::*;
use serde_json::{Value, json};
use zhijian::input::{self, Export, InputOptions, RoleWords};
use zhijian::{SpeakerRole, Turn};

/// One conversation: id, and role, text and second of each message.
type Told = (String, Vec<(bool, String, u32)>);

fn told() -> impl Strategy<Value = Vec<Told>> {
    // Words and marks that each shape has to keep apart from its own; no text is a notice or a picture by itself.
    let text = proptest::collection::vec(
        prop_oneof![
            Just("能退吗"),
            Just("，"),
            Just("a,b"),
            Just("\"引号\""),
            Just("；"),
            Just("不行"),
            Just("😊"),
            Just(" "),
            Just("1;2"),
            Just("<b>&")
        ],
        1..8,
    )
    .prop_map(|words| format!("话{}完", words.concat()));
    let message = (any::<bool>(), text);
    let conversation = proptest::collection::vec(message, 1..6).prop_map(|messages| {
        (0u32..).zip(messages).map(|(second, (agent, text))| (agent, text, second)).collect::<Vec<_>>()
    });
    proptest::collection::vec(conversation, 1..5).prop_map(|conversations| {
        // A header-less or name-only reader needs both sides to be there; the first rows settle it.
        let mut all: Vec<Told> = (0..).zip(conversations).map(|(at, turns)| (format!("c{at}"), turns)).collect();
        all[0].1.splice(0..0, [(true, "您好".to_owned(), 0), (false, "在吗".to_owned(), 0)]);
        all
    })
}

/// The second that a time as read means.
type Clock = fn(&str) -> Option<u32>;

const MOMENT: Clock = |time| time.strip_prefix("2026-09-18 09:00:")?.parse().ok();
const MILLISECONDS: Clock = |time| Some(time.parse::<u32>().ok()? / 1000);
const SECONDS: Clock = |time| Some(time.parse::<f64>().ok()? as u32);
const CUE: Clock = |time| time.strip_prefix("00:00:")?.get(..2)?.parse().ok();

/// Conversations in one shape.
struct Written {
    /// A name that tells the shape.
    name: &'static str,
    bytes: Vec<u8>,
    /// `None` where the shape has no times.
    clock: Option<Clock>,
}

fn time(second: u32) -> String {
    format!("2026-09-18 09:00:{second:02}")
}

/// Milliseconds since 1970 in China.
fn epoch(second: u32) -> u64 {
    1_789_693_200_000 + u64::from(second) * 1000
}

fn role(agent: bool) -> &'static str {
    if agent { "客服" } else { "客户" }
}

fn name(agent: bool) -> &'static str {
    if agent { "客服小满" } else { "客户甲" }
}

fn number(agent: bool) -> &'static str {
    if agent { "1" } else { "0" }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('"', "&quot;")
}

/// One file a conversation.
fn packed(told: &[Told], suffix: &str, file: impl Fn(&Told) -> String) -> Vec<u8> {
    let files: Vec<(String, String)> = told.iter().map(|one| (format!("{}{suffix}", one.0), file(one))).collect();
    zip(&files.iter().map(|(name, text)| (name.as_str(), text.as_bytes())).collect::<Vec<_>>())
}

/// A message of a conversation: id, whether the agent speaks, text, second.
type Message<'a> = (&'a str, bool, &'a str, u32);

fn messages(told: &[Told]) -> impl Iterator<Item = Message<'_>> {
    told.iter().flat_map(|(id, turns)| {
        turns.iter().map(move |(agent, text, second)| (id.as_str(), *agent, text.as_str(), *second))
    })
}

const HEADER: [&str; 4] = ["会话ID", "角色", "发送时间", "消息内容"];

fn tables(told: &[Told]) -> Vec<Written> {
    let delimited = |delimiter: u8, name: fn(bool) -> &'static str| {
        let mut csv = csv::WriterBuilder::new().delimiter(delimiter).from_writer(Vec::new());
        csv.write_record(HEADER).expect("memory takes writes");
        for (id, agent, text, second) in messages(told) {
            csv.write_record([id, name(agent), &time(second), text]).expect("memory takes writes");
        }
        csv.into_inner().expect("memory takes writes")
    };
    let comma = delimited(b',', role);
    let text = String::from_utf8(comma.clone()).expect("UTF-8");
    let utf16 = |bytes: fn(u16) -> [u8; 2]| -> Vec<u8> {
        std::iter::once(0xfeff).chain(text.encode_utf16()).flat_map(bytes).collect()
    };
    let research: String = messages(told)
        .map(|(id, agent, text, _)| format!("{id}\tUSER_1\t{}\t0\t0\tnan\t{text}\n", number(agent)))
        .collect();
    let whole = |conversation: &dyn Fn(&Told) -> String| {
        let mut csv = csv::Writer::from_writer(Vec::new());
        csv.write_record(["会话ID", "会话内容"]).expect("memory takes writes");
        for one in told {
            csv.write_record([&one.0, &conversation(one)]).expect("memory takes writes");
        }
        csv.into_inner().expect("memory takes writes")
    };
    let lines = |(_, turns): &Told| {
        turns.iter().map(|(agent, text, second)| format!("{} {}: {text}\n", time(*second), name(*agent))).collect()
    };
    let list = |(_, turns): &Told| {
        let messages = turns
            .iter()
            .map(|(agent, text, second)| json!({"role": role(*agent), "content": text, "time": time(*second)}));
        Value::Array(messages.collect()).to_string()
    };
    let row = |(at, (id, agent, text, second)): (usize, Message<'_>)| {
        cells(at, &[id, role(agent), &time(second), &escaped(text)])
    };
    let sheet = cells(1, &HEADER) + &(2..).zip(messages(told)).map(row).collect::<String>();
    let rows: Vec<[String; 4]> = messages(told)
        .map(|(id, agent, text, second)| [id.to_owned(), role(agent).to_owned(), time(second), escaped(text)])
        .collect();
    // The table that 千牛 shows has no ids: one file a conversation.
    let qianniu = |(_, turns): &Told| {
        let mut csv = csv::Writer::from_writer(Vec::new());
        csv.write_record(["聊天对象", "聊天内容", "聊天时间"]).expect("memory takes writes");
        for (agent, text, second) in turns {
            let sender = if *agent { "栗屿家居旗舰店:小满" } else { "客户" };
            csv.write_record([sender, text, &time(*second)]).expect("memory takes writes");
        }
        String::from_utf8(csv.into_inner().expect("memory takes writes")).expect("UTF-8")
    };
    let written = |name, bytes| Written { name, bytes, clock: Some(MOMENT) };
    let mut all = vec![
        written("day.tsv", delimited(b'\t', role)),
        written("semicolon.csv", delimited(b';', role)),
        written("bar.csv", delimited(b'|', role)),
        written("names.csv", delimited(b',', name)),
        written("mark.csv", [b"\xef\xbb\xbf", comma.as_slice()].concat()),
        written("gbk.csv", encoding_rs::GB18030.encode(&text).0.into_owned()),
        written("utf16le.csv", utf16(u16::to_le_bytes)),
        written("utf16be.csv", utf16(u16::to_be_bytes)),
        written("day.csv.gz", gzip(&comma)),
        written("day.csv.zst", zstd::encode_all(comma.as_slice(), 1).expect("packs")),
        written("day.csv.zip", zip(&[("day.csv", &comma)])),
        written("lines-in-cells.csv", whole(&lines)),
        written("lists-in-cells.csv", whole(&list)),
        written("day.xlsx", workbook(&sheet)),
        written("day.ods", opendocument(&HEADER.map(str::to_owned), &rows)),
        written("qianniu-table.zip", packed(told, ".csv", qianniu)),
        written("day.csv", comma),
        Written { name: "research.tsv", bytes: research.into_bytes(), clock: None },
    ];
    #[cfg(feature = "parquet")]
    all.push(written("day.parquet", parquet(told)));
    all
}

#[cfg(feature = "parquet")]
fn parquet(told: &[Told]) -> Vec<u8> {
    use parquet::data_type::{ByteArray, ByteArrayType};
    use parquet::file::writer::SerializedFileWriter;
    use parquet::schema::parser::parse_message_type;

    let columns = ["session_id", "sender", "send_time", "content"];
    let fields: String = columns.map(|name| format!("required binary {name} (UTF8);")).concat();
    let schema = parse_message_type(&format!("message day {{ {fields} }}")).expect("well formed");
    let mut writer = SerializedFileWriter::new(Vec::new(), schema.into(), Default::default()).expect("a schema");
    let mut group = writer.next_row_group().expect("memory takes writes");
    for column in 0..columns.len() {
        let value = |(id, agent, text, second): Message<'_>| {
            ByteArray::from([id, role(agent), &time(second), text][column].as_bytes().to_vec())
        };
        let values: Vec<ByteArray> = messages(told).map(value).collect();
        let mut out = group.next_column().expect("memory takes writes").expect("a column of the schema");
        out.typed::<ByteArrayType>().write_batch(&values, None, None).expect("memory takes writes");
        out.close().expect("memory takes writes");
    }
    group.close().expect("memory takes writes");
    writer.into_inner().expect("memory takes writes")
}

fn documents(told: &[Told]) -> Vec<Written> {
    let list = |message: &dyn Fn(Message<'_>) -> Value| Value::Array(messages(told).map(message).collect());
    let lines = |message: &dyn Fn(Message<'_>) -> Value| {
        messages(told).map(|one| message(one).to_string() + "\n").collect::<String>()
    };
    let turns = |(id, turns): &Told, message: &dyn Fn(Message<'_>) -> Value| {
        Value::Array(turns.iter().map(|(agent, text, second)| message((id, *agent, text, *second))).collect())
    };
    let each = |message: &dyn Fn(&Told) -> Value| Value::Array(told.iter().map(message).collect());

    let native = |one: &Told| {
        let message = |(_, agent, text, second): Message<'_>| json!({"speaker": if agent { "agent" } else { "customer" }, "text": text, "time": time(second)});
        json!({"id": one.0, "turns": turns(one, &message)}).to_string() + "\n"
    };
    let record = |(id, agent, text, second): Message<'_>| json!({"session_id": id, "sender": role(agent), "content": text, "send_time": time(second)});
    let wecom = |(id, agent, text, second): Message<'_>| {
        let (from, to) = if agent { ("xiaoman", "wmCustomer01") } else { ("wmCustomer01", "xiaoman") };
        json!({"msgid": "1_external", "action": "send", "from": from, "tolist": [to], "roomid": id, "msgtime": epoch(second), "msgtype": "text", "text": {"content": text}})
    };
    let wecom_line = |message: Message<'_>| json!({"seq": 1, "msgid": "1_external", "msg": wecom(message)});
    let wecom_push = |message: Message<'_>| json!({"seq": 1, "msgid": "1_external", "msg": wecom(message).to_string()});
    let jingdong = |(id, agent, text, second): Message<'_>| json!({"waiter": "小满", "customer": "jd_1", "waiterSend": agent, "createdTime": epoch(second), "content": text, "sid": id});
    let jingdong_im = |(id, agent, text, second): Message<'_>| json!({"sid": id, "from": {"app": if agent { "im.waiter" } else { "im.customer" }, "pin": "x"}, "to": {"pin": "y"}, "timestamp": epoch(second), "content": text});
    let huawei = |(id, agent, text, second): Message<'_>| json!({"id": "0", "senderNickname": "小满", "sendTime": epoch(second), "sourceType": if agent { "AGENT" } else { "USER" }, "mediaType": "TEXT", "content": text, "callId": id});
    let tickets = each(&|one| {
        let message = |(_, agent, text, second): Message<'_>| json!({"role": role(agent), "words": text, "beginTime": time(second)});
        json!({"tid": one.0, "dialogue": turns(one, &message)})
    });
    let dianjin = each(&|one| {
        let message = |(_, agent, text, second): Message<'_>| json!({"role": number(agent), "customerServiceType": "1", "content": text, "beginTime": time(second)});
        json!({"sessionId": one.0, "dialogueList": turns(one, &message)})
    });
    let meiqia = each(&|one| {
        let message = |(_, agent, text, second): Message<'_>| json!({"from": if agent { "agent" } else { "client" }, "content": text, "timestamp": time(second)});
        json!({"conv_id": one.0, "conv_content": turns(one, &message)})
    });
    let pinduoduo = |one: &Told| {
        let message = |(_, agent, text, second): Message<'_>| json!({"role": if agent { "客服" } else { "用户" }, "name": "t***4", "type": "text", "content": text, "time": time(second)});
        turns(one, &message).to_string()
    };
    let qianniu = |one: &Told| {
        let message = |(id, agent, text, second): Message<'_>| json!({"date": "2026-09-18", "time": &time(second)[11..], "sender": if agent { "小满" } else { id }, "text": text});
        json!({"user": one.0, "chats": turns(one, &message)}).to_string()
    };
    let google = |one: &Told| {
        let message = |(_, agent, text, second): Message<'_>| json!({"text": text, "user_id": 1, "role": if agent { "AGENT" } else { "CUSTOMER" }, "start_timestamp_usec": epoch(second) * 1000});
        json!({"conversation_info": {}, "entries": turns(one, &message)}).to_string()
    };
    let aws = |one: &Told| {
        let message = |(_, agent, text, second): Message<'_>| json!({"ParticipantId": if agent { "a" } else { "c" }, "Content": text, "AbsoluteTime": format!("{}+08:00", time(second).replace(' ', "T"))});
        json!({"Participants": [{"ParticipantId": "a", "ParticipantRole": "AGENT"}, {"ParticipantId": "c", "ParticipantRole": "CUSTOMER"}], "Transcript": turns(one, &message)}).to_string()
    };
    let wangwang = |(id, turns): &Told| {
        let message = |(agent, text, second): &(bool, String, u32)| {
            let direction = if *agent { 0 } else { 1 };
            format!(
                "<msg><direction>{direction}</direction><time>{}</time><content>{}</content></msg>",
                time(*second),
                escaped(text)
            )
        };
        let messages: String = turns.iter().map(message).collect();
        format!(
            "<?xml version=\"1.0\"?><wangwang_eservice_chatlog_get_response><to_id>{id}</to_id><msgs>{messages}</msgs></wangwang_eservice_chatlog_get_response>"
        )
    };
    let native: String = told.iter().map(native).collect();
    let texts = [
        ("day.jsonl", native),
        ("records.json", json!({"code": 0, "data": list(&record)}).to_string()),
        ("records.jsonl", lines(&record)),
        ("wecom.jsonl", lines(&wecom_line)),
        ("wecom-push.json", json!({"errcode": 0, "chatdata": list(&wecom_push)}).to_string()),
        ("jingdong.json", json!({"chatLogs": list(&jingdong)}).to_string()),
        ("jingdong-im.jsonl", lines(&jingdong_im)),
        ("huawei.json", json!({"records": list(&huawei)}).to_string()),
        ("tickets.json", json!({"tickets": tickets}).to_string()),
        ("dianjin.json", json!({"conversationList": dianjin}).to_string()),
        ("meiqia.json", json!({"result": meiqia}).to_string()),
    ];
    let archives = [
        ("pinduoduo.zip", packed(told, "_chat.json", pinduoduo)),
        ("qianniu.zip", packed(told, ".json", qianniu)),
        ("google.zip", packed(told, ".json", google)),
        ("aws.zip", packed(told, ".json", aws)),
        ("wangwang.zip", packed(told, ".xml", wangwang)),
    ];
    let texts = texts.into_iter().map(|(name, text)| (name, text.into_bytes()));
    texts.chain(archives).map(|(name, bytes)| Written { name, bytes, clock: Some(MOMENT) }).collect()
}

fn chats(told: &[Told]) -> Vec<Written> {
    type Line = fn(bool, &str, u32) -> String;
    let forms: [(&str, Line); 8] = [
        ("wechat.zip", |agent, text, second| format!("{} {}: {text}\n", time(second), name(agent))),
        ("qq.zip", |agent, text, second| {
            format!("{} {}(10001)\n{text}\n\n", time(second).replace(" 0", " "), name(agent))
        }),
        ("glued.zip", |agent, text, second| {
            format!("{}{}\r\n{text}\r\n", name(agent), time(second).replace("-0", "-"))
        }),
        ("blank.zip", |agent, text, second| format!("{} {}\n{text}\n已读\n", name(agent), time(second))),
        ("arrow.zip", |agent, text, second| format!("{} --> {} {}\n{text}\n", name(agent), name(!agent), time(second))),
        ("two-lines.zip", |agent, text, second| format!("{}\n{}\n{text}\n", name(agent), time(second))),
        ("cells.zip", |agent, text, second| format!("{}\n{text}\n{}\n", name(agent), time(second))),
        ("roles.zip", |agent, text, _| format!("{}：{text}\n", role(agent))),
    ];
    let written = |(name, line): (&'static str, Line)| {
        let chat = |(_, turns): &Told| turns.iter().map(|(agent, text, second)| line(*agent, text, *second)).collect();
        let clock = (name != "roles.zip").then_some(MOMENT);
        Written { name, bytes: packed(told, ".txt", chat), clock }
    };
    forms.into_iter().map(written).collect()
}

/// Writes a conversation as a document.
type Document<'a> = &'a dyn Fn(&Told) -> Value;

fn speech(told: &[Told]) -> Vec<Written> {
    let segments = |(_, turns): &Told, segment: &dyn Fn(&str, &str, u32) -> Value| {
        Value::Array(turns.iter().map(|(agent, text, second)| segment(number(*agent), text, second * 1000)).collect())
    };
    let aliyun = |one: &Told| json!({"Sentences": segments(one, &|who, text, at| json!({"ChannelId": who, "Text": text, "BeginTime": at}))});
    let tencent = |one: &Told| json!({"Response": {"Data": {"ResultDetail": segments(one, &|who, text, at| json!({"SpeakerId": who, "FinalSentence": text, "WrittenText": null, "StartMs": at}))}}});
    let old = |one: &Told| json!({"data": segments(one, &|who, text, at| json!({"speaker": who, "onebest": text, "bg": at.to_string()})).to_string()});
    let new = |one: &Told| {
        let word = |character: char| json!({"cw": [{"w": character.to_string(), "wp": "n"}]});
        let sentence = |who: &str, text: &str, at: u32| {
            let words: Vec<Value> = text.chars().map(word).collect();
            json!({"json_1best": json!({"st": {"bg": at.to_string(), "rl": who, "rt": [{"ws": words}]}}).to_string()})
        };
        json!({"content": {"orderInfo": {"orderId": one.0}, "orderResult": json!({"lattice": segments(one, &sentence)}).to_string()}})
    };
    let volcengine = |one: &Told| json!({"result": {"utterances": segments(one, &|who, text, at| json!({"text": text, "start_time": at, "additions": {"speaker": who}}))}});
    let huawei = |one: &Told| json!({"segments": segments(one, &|who, text, at| json!({"start_time": at, "result": {"text": text, "analysis_info": {"role": if who == "1" { "AGENT" } else { "USER" }}}}))});
    let whisper = |one: &Told| json!({"segments": segments(one, &|who, text, at| json!({"start": f64::from(at) / 1000.0, "text": text, "speaker": who}))});
    let cues = |head: &'static str, point: char, speaker: fn(bool) -> String| {
        move |(_, turns): &Told| {
            let cue = |(agent, text, second): &(bool, String, u32)| {
                format!(
                    "{}\n00:00:{second:02}{point}000 --> 00:00:{second:02}{point}900\n{}{text}\n\n",
                    second + 1,
                    speaker(*agent)
                )
            };
            head.to_owned() + &turns.iter().map(cue).collect::<String>()
        }
    };
    let voices: [(&'static str, Document<'_>, Clock); 7] = [
        ("aliyun.zip", &aliyun, MILLISECONDS),
        ("tencent.zip", &tencent, MILLISECONDS),
        ("iflytek-old.zip", &old, MILLISECONDS),
        ("iflytek-new.zip", &new, MILLISECONDS),
        ("volcengine.zip", &volcengine, MILLISECONDS),
        ("huawei-speech.zip", &huawei, MILLISECONDS),
        ("whisper.zip", &whisper, SECONDS),
    ];
    let written = |(name, document, clock): (&'static str, Document<'_>, Clock)| Written {
        name,
        bytes: packed(told, ".json", |one| document(one).to_string()),
        clock: Some(clock),
    };
    let subtitle = |name, suffix, cues: &dyn Fn(&Told) -> String| Written {
        name,
        bytes: packed(told, suffix, cues),
        clock: Some(CUE),
    };
    let mut all: Vec<Written> = voices.into_iter().map(written).collect();
    all.push(subtitle("srt.zip", ".srt", &cues("", ',', |agent| format!("[{}] ", role(agent)))));
    all.push(subtitle("srt-colon.zip", ".srt", &cues("", ',', |agent| format!("{}：", role(agent)))));
    all.push(subtitle("vtt.zip", ".vtt", &cues("WEBVTT\n\n", '.', |agent| format!("<v {}>", role(agent)))));
    all
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn what_is_written_in_any_shape_is_read_back_equal(told in told()) {
        let mut roles = RoleWords::default();
        roles.add("agent=1,customer=0").expect("well formed");
        let options = InputOptions { roles, ..InputOptions::default() };
        for Written { name, bytes, clock } in [tables(&told), documents(&told), chats(&told), speech(&told)].into_iter().flatten() {
            let mut export = Export::default();
            let read = input::read_bytes(name, &bytes, &options, &mut export);
            export.finish();
            let mut back: Vec<Told> = Vec::new();
            for at in 0..export.len() {
                let conversation = export.get(at);
                let mut turns = Vec::new();
                // Receipts stand between the messages of some chats.
                for turn in conversation.turns.iter().filter(|turn: &&Turn<'_>| turn.role != SpeakerRole::System) {
                    prop_assert_ne!(turn.role, SpeakerRole::Unknown, "{}", name);
                    let second = clock.map(|clock| clock(turn.time).unwrap_or(u32::MAX)).unwrap_or(turns.len() as u32);
                    turns.push((turn.role == SpeakerRole::Agent, turn.text.to_owned(), second));
                }
                back.push((conversation.id.to_owned(), turns));
            }
            let mut expected = told.clone();
            if clock.is_none() {
                for (_, turns) in &mut expected {
                    (0..).zip(turns).for_each(|(at, turn)| turn.2 = at);
                }
            }
            prop_assert!(read.is_ok() && !export.ledger.is_incomplete(), "{}: {:?} {:?}", name, read, export.ledger);
            prop_assert!(export.ledger.adds_up(), "{}: {:?}", name, export.ledger);
            prop_assert_eq!(&back, &expected, "{}", name);
        }
    }
}

//! What the engine promises, whatever the rules: lazy equals eager, any number of threads gives the same bytes, spans
//! lie on character boundaries, nothing panics.

use std::fs;
use std::path::PathBuf;
use std::sync::OnceLock;

use proptest::prelude::*;
use zhijian::engine::{MAX_TURNS, Mode, Scanner};
use zhijian::evaluation::GoldConversation;
use zhijian::input::{self, Export, InputOptions};
use zhijian::model::{Channel, Family};
use zhijian::{Checker, Conversation, SpeakerRole, Turn};

fn checker() -> &'static Checker {
    static CHECKER: OnceLock<Checker> = OnceLock::new();
    CHECKER.get_or_init(|| Checker::builtin().expect("the embedded rules load"))
}

fn root(path: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(path)
}

fn labelled() -> Vec<GoldConversation> {
    let mut gold = Vec::new();
    for entry in fs::read_dir(root("corpora/labelled")).expect("the labelled corpus is in the repository") {
        let path = entry.expect("readable").path();
        if path.extension().is_some_and(|e| e == "jsonl") {
            let text = fs::read_to_string(&path).expect("UTF-8");
            gold.extend(text.lines().map(|line| serde_json::from_str::<GoldConversation>(line).expect("well formed")));
        }
    }
    assert!(gold.len() >= 120, "the labelled corpus has at least 120 conversations");
    gold
}

fn example_day() -> Export {
    let mut export = Export::default();
    let path = root("corpora/examples/day-2026-09-18.csv");
    input::read(&path, &InputOptions::default(), &mut export, &|_| {}).expect("readable");
    export.finish();
    export
}

#[test]
fn the_lazy_engine_and_one_that_segments_every_turn_agree() {
    let gold = labelled();
    let day = example_day();
    let conversations = gold.iter().map(GoldConversation::conversation).chain((0..day.len()).map(|at| day.get(at)));
    let rules = &checker().rules;
    let mut flags = 0;
    for conversation in conversations {
        let lazy = Scanner::new(rules, Mode::Lazy).scan(&conversation);
        let eager = Scanner::new(rules, Mode::Eager).scan(&conversation);
        assert_eq!(lazy, eager, "{}", conversation.id);
        flags += lazy.flags.len();
    }
    assert!(flags > 100, "the corpora have findings: {flags}");
}

#[test]
fn every_finding_quotes_its_span_in_code_points() {
    let day = example_day();
    let mut spans = 0;
    for conversation in (0..day.len()).map(|at| day.get(at)) {
        for finding in checker().check(&conversation) {
            let Some(turn) = finding.turn else { continue };
            let (start, end) = (finding.start.expect("with turn"), finding.end.expect("with turn"));
            let quoted: String = conversation.turns[turn].text.chars().skip(start).take(end - start).collect();
            assert_eq!(quoted, finding.matched, "{} {turn}", finding.conversation);
            assert_eq!(conversation.turns[turn].role, SpeakerRole::Agent);
            spans += 1;
        }
    }
    assert!(spans > 50, "the example day has findings: {spans}");
}

#[test]
fn customers_are_never_judged() {
    let gold = labelled();
    for labelled in &gold {
        let mut conversation = labelled.conversation();
        for turn in &mut conversation.turns {
            turn.role = match turn.role {
                SpeakerRole::Agent => SpeakerRole::Customer,
                other => other,
            };
        }
        assert_eq!(checker().check(&conversation), [], "{}", labelled.id);
    }
}

#[test]
fn a_turn_with_too_many_hits_is_cut_off_and_said_so() {
    let text = "等一下".repeat(60_000);
    let turns = vec![Turn::new(SpeakerRole::Customer, "什么时候退款"), Turn::new(SpeakerRole::Agent, &text)];
    let conversation = Conversation { id: "1", channel: Channel::Chat, industry: "", date: None, path: "", turns };
    assert!(checker().check_with(&conversation, Mode::Eager).truncated > 0);
}

#[test]
fn a_conversation_without_end_is_judged_in_pieces() {
    let turns: Vec<Turn<'_>> = (0..2 * MAX_TURNS + 1)
        .map(|at| match at % MAX_TURNS {
            0 => Turn::new(SpeakerRole::Agent, "你是不是傻"),
            1 => Turn::new(SpeakerRole::Customer, "什么时候退款"),
            _ => Turn::new(SpeakerRole::Agent, "好的"),
        })
        .collect();
    let conversation = Conversation { id: "1", channel: Channel::Chat, industry: "", date: None, path: "", turns };
    let checked = checker().check_with(&conversation, Mode::Lazy);
    assert!(checked.cut);
    let insulted: Vec<Option<usize>> = checked
        .findings
        .iter()
        .filter(|finding| finding.family == Family::Insult)
        .map(|finding| finding.turn)
        .collect();
    assert_eq!(insulted, [Some(0), Some(MAX_TURNS), Some(2 * MAX_TURNS)]);
    let short = Conversation { turns: conversation.turns[..MAX_TURNS].to_vec(), ..conversation };
    assert!(!checker().check_with(&short, Mode::Lazy).cut);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn no_text_panics_and_spans_lie_on_boundaries(
        customer in "\\PC{0,20}",
        agent in "(\\PC|[你您不退换等傻逼滚投诉没办法会尽快 ,。!0-9a-zA-Z😊]){0,60}",
        call in any::<bool>(),
    ) {
        let mut turns = vec![Turn::new(SpeakerRole::Customer, &customer), Turn::new(SpeakerRole::Agent, &agent)];
        // A script has no customer.
        turns.retain(|turn| turn.role == SpeakerRole::Agent || !customer.is_empty());
        let channel = if call { Channel::Call } else { Channel::Chat };
        let conversation = Conversation { id: "p", channel, industry: "", date: None, path: "", turns };
        let rules = &checker().rules;
        let lazy = Scanner::new(rules, Mode::Lazy).scan(&conversation);
        for flag in &lazy.flags {
            if let Some((turn, span)) = &flag.hit {
                prop_assert!(conversation.turns[*turn].text.get(span.clone()).is_some_and(|text| !text.is_empty()));
            }
        }
        prop_assert_eq!(&lazy, &Scanner::new(rules, Mode::Eager).scan(&conversation));
    }
}

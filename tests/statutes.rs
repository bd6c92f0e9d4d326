//! The statute files as a whole, and, where the reference texts are at hand, against them.

use std::collections::{HashMap, HashSet};
use std::fs;
use std::path::Path;

use zhijian::statutes::texts::{articles_of, structure_of};
use zhijian::statutes::{ArticleEntry, Law, StatuteBase};

const TEXTS: &str = "../shared/reference/statutes";
/// This many identical Han characters in a row are a copy.
const COPY: usize = 13;

/// Text file → law and version. A version may lie in several files.
const FILES: [(&str, &str, &str); 47] = [
    ("个人信息保护法_2021", "个人信息保护法", "2021"),
    ("产品质量法_2018", "产品质量法", "2018"),
    ("人工智能拟人化互动服务管理暂行办法_2026_节选", "人工智能拟人化互动服务管理暂行办法", "2026"),
    ("价格法_1997", "价格法", "1997"),
    ("侵害消费者权益行为处罚办法_2020", "侵害消费者权益行为处罚办法", "2020"),
    ("侵权责任法_2009", "侵权责任法", "2009"),
    ("刑法_节选", "刑法", "2021"),
    ("劳动合同法_2012", "劳动合同法", "2012"),
    ("反不正当竞争法_2019", "反不正当竞争法", "2019"),
    ("反不正当竞争法_2025", "反不正当竞争法", "2025"),
    ("发票管理办法_2019", "发票管理办法", "2019"),
    ("发票管理办法_2023", "发票管理办法", "2023"),
    ("合同法_1999", "合同法", "1999"),
    ("合同行政监督管理办法_2025", "合同行政监督管理办法", "2025"),
    ("市场监督管理投诉举报处理办法_2026", "市场监督管理投诉举报处理办法", "2026"),
    ("市场监督管理投诉举报处理暂行办法_2022", "市场监督管理投诉举报处理暂行办法", "2022"),
    ("广告法_2021", "广告法", "2021"),
    ("快递暂行条例_2025", "快递暂行条例", "2025"),
    ("明码标价和禁止价格欺诈规定_2022", "明码标价和禁止价格欺诈规定", "2022"),
    ("民法典_人格权编", "民法典", "2020"),
    ("民法典_侵权责任编", "民法典", "2020"),
    ("民法典_合同编", "民法典", "2020"),
    ("民法典_总则编", "民法典", "2020"),
    ("民法典_附则", "民法典", "2020"),
    ("民法典侵权责任编司法解释一_2024", "侵权责任编司法解释一", "2024"),
    ("民法典合同编通则司法解释_2023", "合同编通则司法解释", "2023"),
    ("民法典时间效力规定_2020", "民法典时间效力规定", "2020"),
    ("民法总则_2017", "民法总则", "2017"),
    ("民法通则_2009", "民法通则", "2009"),
    ("治安管理处罚法_2012", "治安管理处罚法", "2012"),
    ("治安管理处罚法_2025", "治安管理处罚法", "2025"),
    ("消费者权益保护法_1993_2009修正_节选", "消费者权益保护法", "1993"),
    ("消费者权益保护法_2013", "消费者权益保护法", "2013"),
    ("消费者权益保护法实施条例_2024", "消费者权益保护法实施条例", "2024"),
    ("电信条例_2016", "电信条例", "2016"),
    ("电子商务法_2018", "电子商务法", "2018"),
    ("直播电商监督管理办法_2025_节选", "直播电商监督管理办法", "2025"),
    ("精神损害赔偿司法解释_2020", "精神损害赔偿解释", "2020"),
    ("网络交易平台规则监督管理办法_2025_节选", "网络交易平台规则监督管理办法", "2025"),
    ("网络交易监督管理办法_2021", "网络交易监督管理办法", "2021"),
    ("网络交易监督管理办法_2025", "网络交易监督管理办法", "2025"),
    ("网络安全法_2025", "网络安全法", "2025"),
    ("网络消费司法解释一_2022", "网络消费纠纷司法解释(一)", "2022"),
    ("网络购买商品七日无理由退货暂行办法_2020", "网络购买商品七日无理由退货暂行办法", "2020"),
    ("通信短信息服务管理规定_2026_节选", "通信短信息服务管理规定", "2026"),
    ("银行保险机构消费者权益保护管理办法_2022", "银行保险机构消费者权益保护管理办法", "2022"),
    ("预付式消费司法解释_2025", "预付式消费司法解释", "2025"),
];

fn base() -> StatuteBase {
    StatuteBase::load(&[]).expect("the embedded statutes load")
}

/// The reference texts by file; empty where they are not at hand.
fn texts() -> Vec<(&'static str, &'static str, &'static str, String)> {
    let read = |(file, law, version): (&'static str, &'static str, &'static str)| {
        let path = Path::new(TEXTS).join(format!("{file}.txt"));
        fs::read_to_string(path).ok().map(|text| (file, law, version, text))
    };
    FILES.into_iter().filter_map(read).collect()
}

#[test]
fn every_reference_text_is_in_the_map() {
    let Ok(entries) = fs::read_dir(TEXTS) else { return };
    for entry in entries {
        let name = entry.expect("readable").file_name().into_string().expect("UTF-8");
        if let Some(stem) = name.strip_suffix(".txt") {
            assert!(FILES.iter().any(|(file, ..)| *file == stem), "{stem}");
        }
    }
}

#[test]
fn paragraphs_and_items_are_those_of_the_texts() {
    let base = base();
    let mut compared = 0;
    let mut problems = Vec::new();
    for (file, law, version, text) in texts() {
        let law = base.law(law).expect("the map names laws of the base");
        let held = articles_of(&text);
        for entry in law.articles.iter().filter(|entry| entry.versions.iter().any(|id| id == version)) {
            // Excerpts, and laws in several files: what is not in this file is compared with another or with none.
            let Some(text) = held.get(&entry.article.to_string()) else { continue };
            compared += 1;
            let structure = structure_of(text);
            if structure != entry.structure {
                problems
                    .push(format!("{file} {}: {:?}, but the text has {structure:?}", entry.article, entry.structure));
            }
        }
    }
    assert!(problems.is_empty(), "{}", problems.join("\n"));
    assert!(compared == 0 || compared > 1_500, "{compared} articles were compared");
}

#[test]
fn no_sentence_of_a_law_is_copied() {
    let mut runs: HashSet<Vec<char>> = HashSet::new();
    let mut titles: Vec<String> = Vec::new();
    for (_, _, _, text) in texts() {
        for run in han_runs(&text) {
            runs.extend(run.windows(COPY).map(<[char]>::to_vec));
        }
        titles.extend(
            text.split('《').skip(1).filter_map(|rest| rest.split_once('》')).map(|(title, _)| title.to_owned()),
        );
    }
    let base = base();
    titles.extend(base.laws().iter().flat_map(|law| [law.name.clone(), law.title.clone()]));
    titles.retain(|title| title.chars().count() >= 8);
    titles.sort_by_key(|title| std::cmp::Reverse(title.len()));
    titles.dedup();
    let mut problems = Vec::new();
    for (law, entry) in base.laws().iter().flat_map(|law| law.articles.iter().map(move |entry| (law, entry))) {
        for text in own_words(entry) {
            let text = titles.iter().fold(text.to_owned(), |text, title| text.replace(title.as_str(), "，"));
            for run in han_runs(&text) {
                if let Some(copy) = run.windows(COPY).find(|window| runs.contains(*window)) {
                    problems.push(format!("{} {}: {}", law.name, entry.article, copy.iter().collect::<String>()));
                }
            }
        }
    }
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}

fn own_words(entry: &ArticleEntry) -> impl Iterator<Item = &str> {
    let notes = entry.successors.iter().map(|successor| successor.note.as_str());
    let misread = entry.misread.iter().map(|misread| misread.note.as_str());
    let texts = [Some(&entry.gist), entry.deadline.as_ref(), entry.exceptions.as_ref(), Some(&entry.note)];
    texts.into_iter().flatten().chain(entry.items.values()).map(String::as_str).chain(notes).chain(misread)
}

fn han_runs(text: &str) -> Vec<Vec<char>> {
    let han = |c: &char| ('\u{4e00}'..='\u{9fff}').contains(c);
    let chars: Vec<char> = text.chars().collect();
    chars.split(|c| !han(c)).filter(|run| run.len() >= COPY).map(<[char]>::to_vec).collect()
}

#[test]
fn there_are_at_least_600_articles() {
    let count: usize = base().laws().iter().map(|law| law.articles.len()).sum();
    assert!(count >= 600, "{count}");
}

#[test]
fn every_successor_resolves_and_repealed_laws_name_theirs() {
    let base = base();
    for law in base.laws() {
        for entry in &law.articles {
            for successor in &entry.successors {
                assert!(base.resolve(&successor.to).is_some(), "{} {}: {}", law.name, entry.article, successor.to);
            }
        }
        if law.versions.iter().all(|version| version.in_force_until.is_some()) {
            let successor = law.successor.as_deref().and_then(|name| base.law(name));
            assert!(successor.is_some(), "{} is repealed and names no successor", law.name);
        }
    }
}

#[test]
fn every_name_is_of_one_law() {
    let base = base();
    let mut owners: HashMap<&str, &str> = HashMap::new();
    for law in base.laws() {
        for name in law.abbreviations.iter().chain([&law.name, &law.title]) {
            let owner = owners.entry(name).or_insert(&law.name);
            assert_eq!(*owner, law.name, "{name}");
        }
    }
}

#[test]
fn versions_follow_one_another_and_each_number_has_one_content() {
    for law in base().laws() {
        for pair in law.versions.windows(2) {
            assert!(pair[0].in_force_until.is_some_and(|until| until < pair[1].in_force_from), "{}", law.name);
        }
        assert!(law.in_force_since.is_none_or(|since| since <= law.versions[0].in_force_from), "{}", law.name);
        for version in &law.versions {
            one_content(law, &version.id);
            if let Some(last) = version.articles {
                let of_version = law.articles.iter().filter(|entry| entry.versions.contains(&version.id));
                assert!(of_version.clone().all(|entry| entry.article.number <= last), "{} {}", law.name, version.id);
            }
        }
    }
}

fn one_content(law: &Law, version: &str) {
    let mut seen = HashSet::new();
    for entry in law.articles.iter().filter(|entry| entry.versions.iter().any(|id| id == version)) {
        assert!(seen.insert(entry.article), "{} {} twice in {version}", law.name, entry.article);
    }
}

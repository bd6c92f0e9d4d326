//! `zhijian verify`

use std::fs;
use std::path::Path;

use crate::cli::args::VerifyArguments;
use crate::cli::report::rules_hash;
use crate::cli::{Failure, Outcome, checker_with, config};
use crate::report::manifest::{self, Check, Manifest};

pub fn run(arguments: &VerifyArguments) -> Result<Outcome, Failure> {
    let path = arguments.report.join(manifest::FILE_NAME);
    let failed = |message: String| Failure(format!("{}: [manifest] {message}", path.display()));
    let text = fs::read_to_string(&path).map_err(|error| failed(format!("{error}；报表没有写完，或不是报表目录")))?;
    let manifest: Manifest = serde_json::from_str(&text).map_err(|error| failed(error.to_string()))?;
    if manifest.schema != manifest::SCHEMA {
        return Err(failed(format!("格式为 {}，本程序只认 {}", manifest.schema, manifest::SCHEMA)));
    }
    let (mut different, mut unchecked) = (0u64, 0u64);
    let mut checks = manifest::verify(&manifest, &arguments.report);
    match judges(arguments, &manifest) {
        Ok(compared) => checks.extend(compared),
        Err(Failure(why)) => checks.push(Check::Unchecked(why)),
    }
    for check in &checks {
        match check {
            Check::Same(what) => anstream::println!("一致　　{what}"),
            Check::Different(what) => {
                different += 1;
                anstream::println!("不一致　{what}");
            }
            Check::Unchecked(what) => {
                unchecked += 1;
                anstream::println!("未核对　{what}");
            }
            Check::Outdated(what) => anstream::println!("已更新　{what}"),
        }
    }
    anstream::println!("{} 项：不一致 {different}，未核对 {unchecked}", checks.len());
    Ok(match (unchecked, different) {
        (1.., _) => Outcome::Incomplete,
        (0, 1..) => Outcome::Findings,
        (0, 0) => Outcome::Clean,
    })
}

/// Compares rules and statutes with those that the options name, or that a scan of the same inputs would find.
fn judges(arguments: &VerifyArguments, manifest: &Manifest) -> Result<Vec<Check>, Failure> {
    let config = config(&arguments.rules, manifest.inputs.keys().map(Path::new).next())?;
    let checker = checker_with(&arguments.rules, &config)?;
    let rules = rules_hash(&arguments.rules, &config)?;
    Ok(manifest::judges(manifest, &rules, &manifest::statutes_hash(&checker.statutes)))
}

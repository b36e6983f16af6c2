//! The contracts' style, and that they only grow.

use crate::house::House;
use crate::{Outcome, Result, tools};

/// buf's STANDARD rules and COMMENTS.
pub fn lint(house: &House) -> Result {
    tools::buf(house)?;
    house.run("buf", &["lint", "proto"])?;
    Ok(Outcome::Passed)
}

/// Nothing that a client of the earlier contracts uses may change.
pub fn breaking(house: &House) -> Result {
    tools::buf(house)?;
    let Some(earlier) = earlier(house) else {
        return Ok(Outcome::Skipped(
            "there is nothing to compare with: no earlier commit here has proto/".into(),
        ));
    };
    println!("compared with {earlier}");
    let against = format!(".git#ref={earlier},subdir=proto");
    house.run("buf", &["breaking", "proto", "--against", &against])?;
    Ok(Outcome::Passed)
}

/// The commit to compare with: the main branch where this is another, the last commit where files differ from it, else
/// the commit before.
fn earlier(house: &House) -> Option<String> {
    let commit =
        |name: &str| house.ask("git", &["rev-parse", "--verify", "--quiet", &format!("{name}^{{commit}}")]);
    let head = commit("HEAD")?;
    let changed =
        house.ask("git", &["status", "--porcelain", "--", "proto"]).is_some_and(|files| !files.is_empty());
    let main = ["origin/main", "main"].iter().filter_map(|name| commit(name)).find(|main| *main != head);
    let candidates = [main, changed.then_some(head), commit("HEAD~1")];
    candidates.into_iter().flatten().find(|commit| {
        let folder = format!("{commit}:proto/souk");
        house.has("git", &["rev-parse", "--verify", "--quiet", &folder])
    })
}

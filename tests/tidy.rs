//! The rules of the code that no compiler knows.
//!
//! Goal: a rule in ARCHITECTURE.md that can be checked is checked. Method: the files of the tree are read as text; each
//! broken rule is named with its file, and the test fails with all of them.

#![expect(clippy::unwrap_used, clippy::disallowed_methods, reason = "a test may read the tree")]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

/// No file is longer.
const LINES_MAX: usize = 700;
/// A longer file must be named in [`LONG_FILES`] with a reason.
const LINES_SMELL: usize = 500;
/// Files that may have between [`LINES_SMELL`] and [`LINES_MAX`] lines, and why.
const LONG_FILES: &[(&str, &str)] = &[];

/// Names that say nothing, so that everything ends up in them.
const EMPTY_NAMES: [&str; 6] = ["utils", "util", "common", "helpers", "manager", "misc"];

/// Hosts of package registries: their clients know them, and a mirror must be free to take their place.
/// Written in two halves, so that this list is not found by itself.
const REGISTRY_HOSTS: [(&str, &str); 7] = [
    ("crates", ".io/"),
    ("pypi", ".org"),
    ("pythonhosted", ".org"),
    ("registry.npmjs", ".org"),
    ("deb.debian", ".org"),
    ("archive.ubuntu", ".com"),
    ("ghcr", ".io"),
];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Returns the files below a folder of the tree, with their paths relative to the root; none where there is no folder.
fn files(folder: &str) -> Vec<PathBuf> {
    let top = root().join(folder);
    if !top.exists() {
        return Vec::new();
    }
    let fetched = |entry: &walkdir::DirEntry| entry.file_name() == "node_modules";
    let entries = walkdir::WalkDir::new(top).sort_by_file_name().into_iter().filter_entry(move |entry| !fetched(entry));
    let found = entries.map(Result::unwrap).filter(|entry| entry.file_type().is_file());
    found.map(|entry| entry.path().strip_prefix(root()).unwrap().to_owned()).collect()
}

fn sources(folder: &str) -> Vec<(String, String)> {
    let rust = files(folder).into_iter().filter(|path| path.extension().is_some_and(|extension| extension == "rs"));
    rust.map(|path| (path.to_str().unwrap().to_owned(), std::fs::read_to_string(root().join(&path)).unwrap())).collect()
}

fn read(path: &str) -> String {
    std::fs::read_to_string(root().join(path)).unwrap()
}

/// Fails with every broken rule, one a line.
fn check(broken: &[String]) {
    assert!(broken.is_empty(), "\n{}", broken.join("\n"));
}

#[test]
fn only_the_shell_touches_the_outside_world() {
    let shell = |path: &str| {
        let name = Path::new(path).file_name().unwrap().to_str().unwrap();
        let names = ["task.rs", "main.rs", "app.rs", "shutdown.rs", "clock.rs"];
        names.contains(&name) || ["src/app/", "src/cli/", "src/http/"].iter().any(|folder| path.starts_with(folder))
    };
    let mut broken = Vec::new();
    for (path, text) in sources("src") {
        // What stands after the first test module is about tests.
        let code = text.split("#[cfg(test)]").next().unwrap();
        if code.contains("disallowed_methods") && !shell(&path) {
            broken.push(format!("{path}: only a task.rs may touch disk, clock, network, processes or chance"));
        }
    }
    check(&broken);
}

#[test]
fn no_file_is_too_long() {
    let mut broken = Vec::new();
    for (path, text) in sources("src").into_iter().chain(sources("tests")).chain(sources("fuzz/targets")) {
        let lines = text.lines().count();
        let excused = LONG_FILES.iter().any(|(name, _)| *name == path);
        if lines > LINES_MAX || (lines > LINES_SMELL && !excused) {
            broken.push(format!("{path}: {lines} lines (hint: split it by its nouns)"));
        }
    }
    for (path, _) in LONG_FILES {
        let lines = root().join(path).exists().then(|| read(path).lines().count());
        if lines.is_none_or(|lines| lines <= LINES_SMELL) {
            broken.push(format!("{path}: is named as long and is not"));
        }
    }
    check(&broken);
}

#[test]
fn every_module_has_a_name_that_means_something() {
    let named = |path: &Path| {
        let stems = path.iter().map(|part| Path::new(part).file_stem().unwrap().to_str().unwrap());
        stems.into_iter().any(|stem| EMPTY_NAMES.contains(&stem))
    };
    let broken: Vec<_> = files("src").into_iter().filter(|path| named(path)).collect();
    check(&broken.iter().map(|path| format!("{}: says nothing", path.display())).collect::<Vec<_>>());
}

#[test]
fn every_source_file_begins_by_saying_what_it_is() {
    let silent = |(path, text): (String, String)| (!text.starts_with("//! ")).then(|| format!("{path}: no `//!` line"));
    check(&sources("src").into_iter().filter_map(silent).collect::<Vec<_>>());
}

#[test]
fn nothing_is_left_for_later_in_silence() {
    // Written in two halves, so that this list is not found by itself.
    let words = [("#[ign", "ore"), ("todo", "!("), ("unimplemented", "!("), ("#[al", "low("), ("#![al", "low(")];
    let mut broken = Vec::new();
    for (path, text) in sources("src").into_iter().chain(sources("tests")).chain(sources("examples")) {
        for (a, b) in words {
            let word = format!("{a}{b}");
            if text.contains(&word) {
                broken.push(format!("{path}: contains {word}"));
            }
        }
    }
    check(&broken);
}

#[test]
fn no_test_sleeps() {
    let word = format!("sleep{}", "(Duration");
    let sleeps = |text: &str| text.contains(&word) || text.contains(&format!("thread::{}", "sleep"));
    let mut broken = Vec::new();
    for (path, text) in sources("tests") {
        if sleeps(&text) {
            broken.push(format!("{path}: sleeps (hint: wait for an event, with a deadline)"));
        }
    }
    for (path, text) in sources("src") {
        if text.split_once("#[cfg(test)]").is_some_and(|(_, tests)| sleeps(tests)) {
            broken.push(format!("{path}: a test sleeps (hint: wait for an event, with a deadline)"));
        }
    }
    check(&broken);
}

#[test]
fn no_registry_is_named() {
    let here =
        ["Makefile", "README.md", "ARCHITECTURE.md", "deny.toml", "Cargo.toml", "Dockerfile", "docker-compose.yml"];
    let here = here.map(PathBuf::from);
    let below =
        [".ci", "grafana", "packaging", "scripts", "src", "tests", "docs", "fuzz/src", "fuzz/targets", "fuzz/seeds"]
            .into_iter()
            .flat_map(files);
    let mut broken = Vec::new();
    for path in here.into_iter().chain(below) {
        // The lock file is npm's own.
        if path.ends_with("package-lock.json") {
            continue;
        }
        let Ok(text) = std::fs::read_to_string(root().join(&path)) else { continue };
        for (a, b) in REGISTRY_HOSTS {
            if text.contains(&format!("{a}{b}")) {
                broken.push(format!("{}: names {a}{b}", path.display()));
            }
        }
    }
    check(&broken);
}

#[test]
fn files_of_others_are_as_they_were_taken() {
    let folder = root().join("web/vendor");
    let list = read("web/vendor/VERSIONS");
    let mut broken = Vec::new();
    let mut listed = vec!["VERSIONS".to_owned()];
    for line in list.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        let words: Vec<_> = line.split_whitespace().collect();
        let (name, sum) = (words[0], words[words.len() - 1]);
        listed.push(name.to_owned());
        let bytes = std::fs::read(folder.join(name)).unwrap_or_default();
        let found = Sha256::digest(&bytes).iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().concat();
        if found != sum {
            broken.push(format!("web/vendor/{name}: is {found}, and VERSIONS says {sum}"));
        }
    }
    for path in files("web/vendor") {
        // With its folder: a file of a listed name elsewhere is another file.
        let name = path.strip_prefix("web/vendor").unwrap().to_str().unwrap();
        if !listed.iter().any(|known| known == name) {
            broken.push(format!("{}: is not in VERSIONS", path.display()));
        }
    }
    check(&broken);
}

#[test]
fn what_comes_from_elsewhere_is_locked_by_checksum() {
    let mut broken = Vec::new();
    for lock in ["Cargo.lock", "fuzz/Cargo.lock"] {
        let packages: toml::Table = read(lock).parse().unwrap();
        for package in packages["package"].as_array().unwrap() {
            // What has a source is fetched; what has none is ours.
            let source = package.get("source").map_or("", |source| source.as_str().unwrap());
            let name = package["name"].as_str().unwrap();
            if source.is_empty() && !name.starts_with("nightcast") {
                broken.push(format!("{lock}: {name} has no source"));
            }
            if !source.is_empty() && (!source.starts_with("registry+") || package.get("checksum").is_none()) {
                broken.push(format!("{lock}: {name} comes from {source} without a checksum"));
            }
        }
    }
    for npm in ["tests/browser/package-lock.json", "tests/store/package-lock.json", "scripts/lint/package-lock.json"] {
        let lock: serde_json::Value = serde_json::from_str(&read(npm)).unwrap();
        for (name, package) in lock["packages"].as_object().unwrap().iter().filter(|(name, _)| !name.is_empty()) {
            if !package["integrity"].as_str().is_some_and(|sum| sum.starts_with("sha512-")) {
                broken.push(format!("{npm}: {name} has no checksum"));
            }
        }
    }
    for pip in ["scripts/requirements.txt", "scripts/lint/requirements.txt"] {
        // One requirement is what stands up to a line that does not end with a backslash.
        let requirements = read(pip).replace("\\\n", " ");
        for line in requirements.lines().filter(|line| !line.trim().is_empty() && !line.starts_with('#')) {
            if !line.contains("==") || !line.contains("--hash=sha256:") {
                broken.push(format!("{pip}: {line} is not fixed by version and hash"));
            }
        }
    }
    check(&broken);
}

#[test]
fn the_locks_are_kept_and_every_build_obeys_them() {
    let locks = [
        "Cargo.lock",
        "fuzz/Cargo.lock",
        "tests/browser/package-lock.json",
        "tests/store/package-lock.json",
        "scripts/requirements.txt",
    ];
    let ignored = read(".gitignore");
    let mut broken: Vec<_> = locks
        .iter()
        .filter(|lock| ignored.lines().any(|line| line.trim_start_matches('/') == **lock || line.contains("*.lock")))
        .map(|lock| format!(".gitignore: {lock} would not be kept"))
        .collect();
    let scripts = files("scripts").into_iter().chain(["Makefile", "Dockerfile"].map(PathBuf::from));
    for path in scripts {
        for line in read(path.to_str().unwrap()).lines() {
            let fetches = ["cargo build", "cargo test", "cargo clippy", "cargo install", "cargo run"];
            if fetches.iter().any(|word| line.contains(word)) && !line.contains("--locked") {
                broken.push(format!("{}: without --locked: {}", path.display(), line.trim()));
            }
            if line.contains("npm install") || (line.contains("pip install") && !line.contains("--require-hashes")) {
                broken.push(format!("{}: without the lock: {}", path.display(), line.trim()));
            }
        }
    }
    check(&broken);
}

#[test]
fn the_lock_of_the_fuzzer_knows_every_dependency_of_the_program() {
    let manifest: toml::Table = read("Cargo.toml").parse().unwrap();
    let lock: toml::Table = read("fuzz/Cargo.lock").parse().unwrap();
    let packages = lock["package"].as_array().unwrap();
    let program = packages.iter().find(|package| package["name"].as_str() == Some("nightcast")).unwrap();
    // One of several versions is followed by its number.
    let name = |listed: &toml::Value| listed.as_str().unwrap().split(' ').next().unwrap().to_owned();
    let locked: BTreeSet<String> = program["dependencies"].as_array().unwrap().iter().map(name).collect();
    let wanted: BTreeSet<String> = manifest["dependencies"].as_table().unwrap().keys().cloned().collect();
    let apart = wanted.symmetric_difference(&locked);
    check(&apart.map(|name| format!("{name} is in only one of Cargo.toml and fuzz/Cargo.lock")).collect::<Vec<_>>());
}

#[test]
fn the_commands_of_the_readme_are_targets_of_the_makefile() {
    let makefile = read("Makefile");
    let is_target = |word: &str| makefile.lines().any(|line| line.starts_with(&format!("{word}:")));
    let readme = read("README.md");
    let told: Vec<_> = code_spans(&readme).into_iter().filter_map(|span| span.strip_prefix("make ")).collect();
    assert!(!told.is_empty(), "the README tells no command");
    let unknown = told.into_iter().flat_map(str::split_whitespace).filter(|word| !is_target(word));
    check(&unknown.map(|word| format!("README.md: `make {word}` is no target")).collect::<Vec<_>>());
}

/// Returns what stands in back-quotes, and the lines of fenced blocks without their comments.
fn code_spans(text: &str) -> Vec<&str> {
    let mut spans = Vec::new();
    for (n, block) in text.split("```").enumerate() {
        if n % 2 == 1 {
            spans.extend(block.lines().map(|line| line.split(" #").next().unwrap_or(line).trim()));
        } else {
            spans.extend(block.split('`').skip(1).step_by(2));
        }
    }
    spans
}

#[test]
fn links_lead_to_files() {
    let mut broken = Vec::new();
    for page in
        ["README.md", "ARCHITECTURE.md", "docs/benchmarks.md", "docs/faults.md", "docs/runbook.md", "docs/scaling.md"]
    {
        let folder = Path::new(page).parent().unwrap();
        let text = read(page);
        for link in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            let file = link.split('#').next().unwrap();
            let outside = link.starts_with("http://") || link.starts_with("https://");
            if !outside && !file.is_empty() && !root().join(folder).join(file).exists() {
                broken.push(format!("{page}: {link} leads nowhere"));
            }
        }
    }
    check(&broken);
}

#[test]
fn the_map_of_the_architecture_shows_every_folder() {
    let map = read("ARCHITECTURE.md");
    let entries = std::fs::read_dir(root().join("src")).unwrap().map(Result::unwrap);
    let folders = entries.filter(|entry| entry.path().is_dir()).map(|entry| entry.file_name().into_string().unwrap());
    let missing = folders.filter(|name| !map.contains(&format!("`{name}/`")));
    check(&missing.map(|name| format!("ARCHITECTURE.md: `{name}/` is not on the map")).collect::<Vec<_>>());
}

//! Goal: what is handed to containers and packages fits the program and exposes nothing but the pages. Method: the files
//! are read as text and compared with each other; `make check` has their own linters, `make image-test` builds and runs.
#![expect(clippy::disallowed_methods, reason = "tests read the tree")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use nightcast::config;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: &str) -> String {
    std::fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The services of docker-compose.yml with their lines, comments left out.
fn services() -> BTreeMap<String, Vec<String>> {
    let text = read("docker-compose.yml");
    let mut services: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut name = None;
    let below = text.lines().skip_while(|line| *line != "services:").skip(1);
    for line in below.take_while(|line| line.is_empty() || line.starts_with(' ')) {
        let depth = line.len() - line.trim_start().len();
        if depth == 2 && line.ends_with(':') {
            name = Some(line.trim().trim_end_matches(':').to_owned());
        } else if let Some(name) = name.clone().filter(|_| !line.trim_start().starts_with('#')) {
            services.entry(name).or_default().push(line.trim().to_owned());
        }
    }
    services
}

/// What is mounted where in a service.
fn mounts(lines: &[String]) -> BTreeMap<String, String> {
    let paths = lines.iter().filter_map(|line| line.strip_prefix("- ./")?.split_once(":/"));
    paths.map(|(here, there)| (format!("/{}", there.trim_end_matches(":ro")), here.to_owned())).collect()
}

#[test]
fn the_configurations_of_container_and_package_are_right() {
    for (path, listen) in
        [("packaging/docker/channels.toml", "0.0.0.0:8080"), ("packaging/debian/channels.toml", "127.0.0.1:8080")]
    {
        let parsed = config::parse(&read(path), Path::new("/etc/nightcast/channels.toml"), 2);
        let config = parsed.unwrap_or_else(|problems| panic!("{path}:\n{problems}"));
        assert_eq!(config.station.listen.to_string(), listen, "{path}");
        // Made by the image and by StateDirectory of the unit.
        assert_eq!(config.station.data, PathBuf::from("/var/lib/nightcast"), "{path}");
    }
}

#[test]
fn every_service_has_its_limits_and_no_privileges() {
    let text = read("docker-compose.yml");
    let common = text.split("x-common: &common\n").nth(1).unwrap().split("\n\n").next().unwrap();
    for line in ["init: true", "read_only: true", "cap_drop: [ALL]", "security_opt: [\"no-new-privileges:true\"]"] {
        assert!(common.lines().any(|one| one.trim() == line), "{line}");
    }
    let services = services();
    assert_eq!(services.keys().collect::<Vec<_>>(), ["grafana", "nightcast", "prometheus"]);
    for (name, lines) in &services {
        for key in ["<<: *common", "cpus: ", "mem_limit: ", "pids_limit: ", "stop_grace_period: 30s"] {
            assert!(lines.iter().any(|line| line.starts_with(key)), "{name}: {key}");
        }
    }
}

#[test]
fn nothing_is_public_but_the_pages_and_grafana_has_no_known_password() {
    let services = services();
    let ports: Vec<_> = services
        .iter()
        .flat_map(|(name, lines)| {
            let after = lines.iter().skip_while(|line| *line != "ports:").skip(1);
            after.take_while(|line| line.starts_with("- ")).map(move |line| format!("{name} {line}"))
        })
        .collect();
    assert_eq!(ports, ["grafana - \"127.0.0.1:3000:3000\"", "nightcast - \"0.0.0.0:8080:8080\""]);
    assert!(
        services["prometheus"].contains(&"networks: [inside]".to_owned()),
        "Prometheus is reached by Grafana alone"
    );
    let password = services["grafana"].iter().find(|line| line.contains("ADMIN_PASSWORD")).unwrap();
    assert!(password.contains("${GRAFANA_ADMIN_PASSWORD:?"), "without one nothing may start: {password}");
    assert!(services["grafana"].contains(&"GF_AUTH_ANONYMOUS_ENABLED: \"false\"".to_owned()));
}

#[test]
fn what_is_mounted_is_there_and_is_where_it_is_looked_for() {
    let services = services();
    for (name, lines) in &services {
        for (there, here) in mounts(lines) {
            assert!(root().join(&here).exists(), "{name}: {here} for {there}");
        }
        let writable =
            lines.iter().filter(|line| line.contains(":/") && line.starts_with("- ") && !line.ends_with(":ro"));
        for line in writable.filter(|line| !line.contains("127.0.0.1")) {
            let volume = line.trim_start_matches("- ").split(':').next().unwrap();
            assert!(
                read("docker-compose.yml").contains(&format!("\n  {volume}: {{}}\n")),
                "{name}: {line} is no volume"
            );
        }
    }
    let (grafana, prometheus) = (mounts(&services["grafana"]), mounts(&services["prometheus"]));
    assert_eq!(grafana["/etc/grafana/provisioning"], "grafana/provisioning");
    let provider = read("grafana/provisioning/dashboards/nightcast.yml");
    let path = provider.lines().find_map(|line| line.trim().strip_prefix("path: ")).unwrap();
    assert_eq!(grafana[path], "grafana/dashboards");
    assert!(read("grafana/provisioning/datasources/prometheus.yml").contains("url: http://prometheus:9090\n"));
    // Prometheus looks for both beside its configuration.
    for (there, here) in [("rules.yml", "grafana/rules.yml"), ("targets.yml", "grafana/targets.compose.yml")] {
        assert!(read("grafana/prometheus.yml").contains(there), "{there}");
        assert_eq!(prometheus[&format!("/etc/prometheus/{there}")], here);
    }
    assert_eq!(mounts(&services["nightcast"])["/etc/nightcast/channels.toml"], "packaging/docker/channels.toml");
}

/// Goal: the image holds what it needs and no secret. Method: what the Dockerfile copies is what is let in, and is there.
#[test]
fn the_image_is_built_from_what_is_there_on_bases_of_ones_choice() {
    let dockerfile = read("Dockerfile");
    let copies = dockerfile.lines().filter_map(|line| line.strip_prefix("COPY "));
    let sources: Vec<&str> = copies
        .filter(|copy| !copy.starts_with("--from"))
        .flat_map(|copy| {
            let words: Vec<_> = copy.split_whitespace().collect();
            words[..words.len() - 1].to_vec()
        })
        .collect();
    let ignore = read(".dockerignore");
    let mut lines = ignore.lines().filter(|line| !line.starts_with('#'));
    assert_eq!(lines.next(), Some("*"), "first everything is left out");
    let let_in: Vec<&str> = lines.map(|line| line.strip_prefix('!').unwrap()).collect();
    assert_eq!(sources, let_in);
    for source in sources {
        assert!(root().join(source).exists(), "{source}");
    }
    let bases: Vec<&str> = dockerfile.lines().filter_map(|line| line.strip_prefix("FROM ")).collect();
    assert_eq!(bases, ["${BUILD_BASE} AS build", "${RUN_BASE}"]);
    for line in ["USER 10001", "ENTRYPOINT [\"nightcast\"]", "CMD [\"run\"]"] {
        assert!(dockerfile.lines().any(|one| one == line), "{line}");
    }
    assert!(dockerfile.contains("CMD [\"nightcast\", \"healthcheck\"]"));
    // The compiler is the one that Cargo.toml asks for.
    let manifest: toml::Table = read("Cargo.toml").parse().unwrap();
    let version = manifest["package"]["rust-version"].as_str().unwrap();
    assert!(dockerfile.contains(&format!("BUILD_BASE=rust:{version}-")), "{version}");
}

#[test]
fn the_package_carries_files_that_there_are() {
    let manifest: toml::Table = read("Cargo.toml").parse().unwrap();
    let deb = &manifest["package"]["metadata"]["deb"];
    for asset in deb["assets"].as_array().unwrap() {
        let source = asset[0].as_str().unwrap();
        if source.starts_with("target/") {
            continue;
        }
        let (folder, name) = source.rsplit_once('/').unwrap_or(("", source));
        let end = name.strip_prefix('*');
        let files = std::fs::read_dir(root().join(folder)).unwrap().map(|entry| entry.unwrap().file_name());
        let fits = |file: &str| end.map_or(file == name, |end| file.ends_with(end));
        assert!(files.into_iter().any(|file| fits(file.to_str().unwrap())), "{source}");
    }
    assert!(root().join(deb["systemd-units"]["unit-scripts"].as_str().unwrap()).join("nightcast.service").exists());
    assert!(deb["depends"].as_str().unwrap().contains("ffmpeg"));
}

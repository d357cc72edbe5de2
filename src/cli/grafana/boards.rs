//! The dashboards as they are built into the program.

use serde_json::Value;

/// The files of `grafana/dashboards`, which are also there to be imported by hand.
const FILES: [&str; 3] = [
    include_str!("../../../grafana/dashboards/station.json"),
    include_str!("../../../grafana/dashboards/channel.json"),
    include_str!("../../../grafana/dashboards/machine.json"),
];

/// One dashboard.
#[derive(Clone, Debug, PartialEq)]
pub struct Board {
    /// By which Grafana knows it again.
    pub uid: String,
    /// By which people do.
    pub title: String,
    /// All of it, without what Grafana counts itself: its number and its version.
    pub json: Value,
}

impl Board {
    /// Takes a dashboard from what Grafana or a file says; none where that is not one.
    #[must_use]
    pub fn read(json: &Value) -> Option<Self> {
        let mut json = json.clone();
        let fields = json.as_object_mut()?;
        fields.remove("id");
        fields.remove("version");
        let text = |key: &str| Some(fields.get(key)?.as_str()?.to_owned());
        let (uid, title) = (text("uid")?, text("title")?);
        Some(Self { uid, title, json })
    }
}

/// Returns all dashboards, in the order people should meet them.
#[must_use]
pub fn all() -> Vec<Board> {
    let read = |text: &&str| Board::read(&serde_json::from_str(text).ok()?);
    FILES.iter().filter_map(read).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_file_is_a_dashboard_that_grafana_can_know_again() {
        let all = all();
        assert_eq!(all.len(), FILES.len());
        for board in all {
            assert!(board.uid.starts_with("nightcast-") && board.title.starts_with("Nightcast: "), "{}", board.uid);
            assert!(board.json.get("id").is_none() && board.json.get("version").is_none());
        }
    }
}

//! `on-demand`: whose items viewers may watch when they like.
//!
//! Kept apart from what a channel is made of: the channel need not begin anew because of it.

use std::collections::BTreeSet;

use super::file::ChannelFile;
use crate::units::ChannelId;

/// The channels whose items may be watched on demand.
pub type OnDemand = BTreeSet<ChannelId>;

/// Takes down what a channel says.
pub(super) fn note(all: &mut OnDemand, id: &ChannelId, file: &ChannelFile) {
    if file.on_demand.as_ref().is_some_and(|wish| *wish.get_ref()) {
        all.insert(id.clone());
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use crate::config::{Change, Config, parse};

    fn load(more: &str) -> Config {
        let text = format!("[[channel]]\nid = \"a\"\nname = \"A\"\nfolder = \"a\"\n{more}\n");
        parse(&text, Path::new("channels.toml"), 2).unwrap_or_else(|problems| panic!("{problems}"))
    }

    /// Goal: what is written is what is meant, and followed without a channel that begins anew. Method: a table.
    #[test]
    fn films_are_watched_on_demand_where_a_channel_says_so() {
        let (without, with) = (load(""), load("on-demand = true"));
        assert!(without.on_demand.is_empty() && load("on-demand = false").on_demand.is_empty());
        assert_eq!(with.on_demand.iter().map(ToString::to_string).collect::<Vec<_>>(), ["a"]);
        let change = Change::between(&without, &with);
        assert!(change.told_otherwise && change.changed.is_empty() && change.at_restart.is_empty());
        let text = "[[channel]]\nname = \"A\"\nfolder = \"a\"\non-demand = \"yes\"\n";
        let told = parse(text, Path::new("channels.toml"), 2).unwrap_err().to_string();
        assert!(told.contains("on-demand must be true or false, without quotes"), "{told}");
    }
}

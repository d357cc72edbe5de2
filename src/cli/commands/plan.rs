//! `nightcast plan`: what comes next. Works beside a running station, whose plan is read from the store.

use std::path::Path;

use jiff::SignedDuration;
use jiff::tz::TimeZone;
use tokio_util::sync::CancellationToken;

use super::library::{open_store, scan};
use super::{chosen, load, say};
use crate::channel::director::Director;
use crate::channel::keep;
use crate::channel::task::drawn_ident;
use crate::cli::args::{Exit, PlanArgs};
use crate::cli::report::{PlanRow, plan_json, plan_text};
use crate::clock::Clock;
use crate::config::{Channel, Config};
use crate::schedule::{Plan, Timetable};
use crate::store::Store;

pub(super) async fn run(path: &Path, args: &PlanArgs, token: CancellationToken) -> Exit {
    match answer(path, args, &token).await {
        Ok((rows, zone)) => {
            say(&if args.json { plan_json(&rows) } else { plan_text(&rows, &zone) });
            Exit::Done
        }
        Err(exit) => exit,
    }
}

/// Returns the rows, and the zone that the station's clocks hang in.
async fn answer(path: &Path, args: &PlanArgs, token: &CancellationToken) -> Result<(Vec<PlanRow>, TimeZone), Exit> {
    let config = load(path)?;
    let channels = chosen(&config, args.channel.as_ref())?;
    let store = open_store(&config).await?;
    let mut rows = Vec::new();
    for channel in channels {
        rows.extend(channel_rows(&config, channel, &store, args.hours, token).await);
    }
    store.close().await;
    Ok((rows, config.station.time_zone.clone().unwrap_or_else(TimeZone::system)))
}

async fn channel_rows(
    config: &Config,
    channel: &Channel,
    store: &Store,
    hours: u32,
    token: &CancellationToken,
) -> Vec<PlanRow> {
    let catalogue = scan(config, channel, store, token).await;
    let now = Clock::new(1.0).now();
    let plan = keep::task::plan(store, &channel.id).await.unwrap_or_else(|| Plan::new(channel.seed));
    // Whether it is drawn already only the station knows, and its plan tells.
    let ident = drawn_ident(&plan);
    let timetable = Timetable::new(&channel.timetable, TimeZone::system());
    let plan = plan.with_timetable(timetable.map(|table| table.with_ident(ident)));
    let mut director = Director::new(channel.order.clone(), channel.profile.clone().into(), plan, 1.0);
    director.library_changed(catalogue, now);
    director.catch_up(now);
    let end = now + SignedDuration::from_hours(i64::from(hours));
    let programmes = director.plan().programmes().iter().take_while(|programme| programme.start < end);
    let row = |programme: &crate::schedule::Programme| PlanRow {
        channel: channel.id.clone(),
        kind: programme.role.kind,
        start: programme.start,
        length: programme.duration,
        title: programme.metadata.title.clone(),
        on_air: programme.start <= now && now < programme.end(),
    };
    programmes.map(row).collect()
}

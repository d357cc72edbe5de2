//! The operator's listener: looks at everything when it is asked, and only then.

use std::collections::HashMap;
use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use prometheus::core::{Collector, Desc};
use prometheus::proto::MetricFamily;
use prometheus::{Registry, TextEncoder};
use rustix::process::{Resource, getrlimit};
use tokio::net::TcpListener;
use tokio::sync::Mutex;
use tokio_util::sync::CancellationToken;

use super::names::{self, ALL};
use super::sheet::Sheet;
use super::{ChannelSource, Sources, channels, mirror, number, process, seconds, viewers, workshop};
use crate::ffmpeg::Role;
use crate::ffmpeg::task::look;
use crate::http::{self, Limits};

/// How many connections are served at once: a few Prometheus and a person.
const CONNECTIONS_MAX: usize = 16;

/// The text format of Prometheus, version 0.0.4.
const TEXT: &str = "text/plain; version=0.0.4; charset=utf-8";

/// Serves the metrics until the token is cancelled.
pub async fn serve(listener: TcpListener, sources: Sources, token: CancellationToken) {
    let limits = Limits { connections_max: CONNECTIONS_MAX, ..Limits::default() };
    let asked = Asked { exporter: Arc::new(Exporter::new(sources)), turn: Mutex::default() };
    let router = Router::new()
        .route("/metrics", get(metrics))
        .fallback(|| async { (StatusCode::NOT_FOUND, "The metrics are at /metrics.\n") })
        .with_state(Arc::new(asked));
    http::serve(listener, router, limits, Arc::default(), token).await;
}

/// Whoever asks while another is served waits for their turn: one look at a time is enough.
struct Asked {
    exporter: Arc<Exporter>,
    turn: Mutex<()>,
}

async fn metrics(State(asked): State<Arc<Asked>>) -> Response {
    let _turn = asked.turn.lock().await;
    let exporter = Arc::clone(&asked.exporter);
    // Reads some files of /proc for each child.
    match tokio::task::spawn_blocking(move || exporter.text()).await {
        Ok(text) => ([(header::CONTENT_TYPE, TEXT), (header::CACHE_CONTROL, "no-store")], text).into_response(),
        Err(error) => {
            tracing::error!(%error, "metrics could not be collected");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

/// Makes the text that Prometheus reads.
#[derive(Debug)]
pub struct Exporter {
    registry: Registry,
}

impl Exporter {
    /// Returns an exporter of a station's numbers.
    ///
    /// # Panics
    /// When the table of names is not one that Prometheus takes, which no test would pass.
    #[must_use]
    pub fn new(sources: Sources) -> Self {
        let registry = Registry::new();
        registry
            .register(Box::new(Station::new(sources)))
            .expect("the table's names are valid, and each is there once");
        Self { registry }
    }

    /// Returns all series as they are now; reads `/proc`, so not to be called where nothing may wait.
    #[must_use]
    pub fn text(&self) -> String {
        let mut text = String::new();
        if let Err(error) = TextEncoder::new().encode_utf8(&self.registry.gather(), &mut text) {
            tracing::error!(%error, "metrics could not be written down");
        }
        text
    }
}

/// The one collector.
struct Station {
    sources: Sources,
    descriptions: Vec<Desc>,
}

impl Station {
    fn new(sources: Sources) -> Self {
        let described = |metric: &&names::Metric| {
            let labels = metric.labels.iter().map(|label| label.name.to_owned()).collect();
            Desc::new(metric.name.to_owned(), metric.help.to_owned(), labels, HashMap::new())
        };
        let descriptions = ALL.iter().map(described).collect::<Result<_, _>>();
        Self { sources, descriptions: descriptions.expect("the table's names are valid") }
    }

    fn station(&self, sheet: &mut Sheet, all: &[ChannelSource]) {
        let sources = &self.sources;
        sheet.add(names::BUILD_INFO, &[env!("CARGO_PKG_VERSION"), &sources.ffmpeg], 1.0);
        let wanted = *sources.ready.borrow() && !sources.token.is_cancelled();
        let ready = wanted && all.iter().all(|channel| channel.view.published() || channel.view.is_off());
        sheet.add(names::READY, &[], f64::from(u8::from(ready)));
        let reading = look(std::process::id()).unwrap_or_default();
        process::server(sheet, &reading, getrlimit(Resource::Nofile).current);
        sheet.add(names::PROCESS_START, &[], seconds(sources.started));
        viewers::listener(sheet, &sources.tally, sources.connections_max);
        sheet.add(names::STORE_ERRORS, &[], number(sources.store.errors()));
        let (taken, refused) = sources.reloads.counts();
        sheet.add(names::CONFIG_RELOADS, &["ok"], number(taken));
        sheet.add(names::CONFIG_RELOADS, &["refused"], number(refused));
        sheet.add(names::CONFIG_LAST_RELOAD, &[], seconds(sources.reloads.last()));
    }
}

impl Collector for Station {
    fn desc(&self) -> Vec<&Desc> {
        self.descriptions.iter().collect()
    }

    fn collect(&self) -> Vec<MetricFamily> {
        let mut sheet = Sheet::default();
        let all = Arc::clone(&self.sources.channels.borrow());
        self.station(&mut sheet, &all);
        let work = self.sources.preparer.numbers();
        workshop::all(&mut sheet, &work);
        let (now, error) = (self.sources.clock.now(), self.sources.clock.error());
        let mirrors = Arc::clone(&self.sources.mirrors.borrow());
        for ChannelSource { view, counters, library, family } in &*all {
            let (id, status) = (view.id.as_str(), view.status());
            channels::channel(&mut sheet, &status, &counters.read(now), error);
            channels::viewers(&mut sheet, id, &view.viewers);
            channels::rewind(&mut sheet, id, &view.rewind);
            channels::library(&mut sheet, id, &status.library, &library.catalogue().borrow(), library.tally());
            workshop::channel(&mut sheet, &view.id, &work);
            if let Some(counters) = mirrors.get(&view.id) {
                mirror::channel(&mut sheet, id, &counters.read(view.snapshot().newest, now));
            }
            for role in Role::ALL {
                process::children(&mut sheet, id, role, &family.sums(role, look));
            }
        }
        sheet.into_families()
    }
}

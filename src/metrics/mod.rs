//! What the operator sees: numbers about the server, its children, its channels, for Prometheus.

pub mod names;

//! How long followers stay, against published and computed curves and simulated truth.

/// Curves that lifelines and the literature agree on.
mod curves;
/// True survival is where bands say it is.
mod simulated;
/// Stays, by the month they began in.
mod stays;

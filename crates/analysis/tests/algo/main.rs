//! Questions about whole graphs, against petgraph, naive oracles and closed forms.

mod cohesion;
mod communities;
mod components;
mod harness;
mod ranks;
mod suggestions;

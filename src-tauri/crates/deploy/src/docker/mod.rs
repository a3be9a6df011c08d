pub(crate) mod calls;
pub(crate) mod containers;
pub(crate) mod gate;
pub(crate) mod images;

pub use calls::EngineCalls;

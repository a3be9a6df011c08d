//! Flows through the whole product.

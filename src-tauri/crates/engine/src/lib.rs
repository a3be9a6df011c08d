//! Docker: BuildKit session, progress, tag, push, images

//! OCI distribution: tags, manifests, deletes, credentials, rights

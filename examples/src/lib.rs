//! The examples of the guide: each a server of its own under `src/bin`, each run by a test under `tests`.

//! Why a conversation did not go as it should.

/// Why a conversation did not go as it should, for people.
pub type Failed = Box<dyn std::error::Error + Send + Sync>;

//! The knowledge base: articles that people write, and how incidents are compared with each other.

mod article;
mod similar;

pub use article::{
    Article, ArticleDraft, ArticleKind, ArticleNumber, MAX_ARTICLE_CHARS, MAX_SCOPE_CHARS,
};
pub use similar::{Candidate, MAX_TRAITS, Novelty, Probe, Similar, novelty, similar, tokens};

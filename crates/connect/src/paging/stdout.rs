//! Pages in the terminal, for those who try things out.

use crate::failure::Undelivered;
use crate::message::one_line;
use crate::outbound::Sent;
use crate::paging::Errand;
use crate::secret::offload;

/// Writes one page.
pub(super) async fn send(errand: &Errand<'_>) -> Result<Sent, Undelivered> {
    let to = one_line(&errand.page.recipient.to_string());
    let mut text = format!("{}  → {to}\n", errand.words.subject());
    for line in errand.words.plain(|_| None).lines() {
        text.push_str(&format!("  {}\n", one_line(line)));
    }
    text.push('\n');
    let output = errand.context.output.clone();
    let write = offload(move || {
        let mut output = output.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        output.write_all(text.as_bytes())?;
        output.flush()
    });
    errand.deadline.bound("stdout", write).await??;
    Ok(Sent::default())
}

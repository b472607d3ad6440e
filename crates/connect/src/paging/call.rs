//! What a call says and what its keys mean, signed into the address from which Twilio fetches it.
//! So nothing is looked up when the phone is picked up, and a restart in between changes nothing.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tocsin_core::identity::Handle;
use tocsin_core::ids::RunNumber;

use crate::links::LinkSigner;

/// What the signature of a call is for.
const PURPOSE: &str = "call";

/// A call as it was decided.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Call {
    /// What is said.
    #[serde(rename = "t")]
    pub text: String,
    /// Who is called; `None` for a place.
    #[serde(rename = "p", default, skip_serializing_if = "Option::is_none")]
    pub person: Option<Handle>,
    /// What the keys are about; empty when there is nothing to answer.
    #[serde(rename = "r", default, skip_serializing_if = "Vec::is_empty")]
    pub runs: Vec<RunNumber>,
    /// When it was decided.
    #[serde(rename = "a")]
    pub asked_at: Timestamp,
    /// When keys do nothing any more.
    #[serde(rename = "e")]
    pub expires_at: Timestamp,
}

impl Call {
    /// Returns the call as it travels in an address.
    pub fn seal(&self, signer: &LinkSigner) -> String {
        signer.seal(PURPOSE, &serde_json::to_vec(self).unwrap_or_default())
    }

    /// Reads a call that we signed; whether it is over is for the caller to say.
    pub fn open(signer: &LinkSigner, token: &str) -> Option<Self> {
        serde_json::from_slice(&signer.open(PURPOSE, token)?).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_travels_in_an_address() {
        let call = Call {
            text: "Größe: voll".to_owned(),
            person: Some(Handle::parse("ada").unwrap()),
            runs: vec![RunNumber(7), RunNumber(9)],
            asked_at: "2026-11-28T03:12:00Z".parse().unwrap(),
            expires_at: "2026-11-28T04:12:00Z".parse().unwrap(),
        };
        let signer = LinkSigner::new(vec![[7; 32]]);
        let token = call.seal(&signer);
        assert_eq!(Call::open(&signer, &token), Some(call));
        assert_eq!(Call::open(&LinkSigner::fresh(), &token), None);
    }
}

//! Sealing a message so that only one browser can open it.
//!
//! Source: RFC 8291, "Message Encryption for Web Push", and RFC 8188, "aes128gcm".

use aws_lc_rs::aead::{AES_128_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::agreement::{ECDH_P256, PrivateKey, UnparsedPublicKey, agree};
use hmac::{Hmac, Mac as _};
use sha2::Sha256;

/// The size of one record; there is only one.
const RECORD_BYTES: u32 = 4_096;

/// The mark of the last record.
const LAST: u8 = 2;

/// Returns the body of a push; `None` when the browser's keys are none.
pub(super) fn seal(public: &[u8], auth: &[u8], plain: &[u8]) -> Option<Vec<u8>> {
    let own = PrivateKey::generate(&ECDH_P256).ok()?;
    seal_with(&own, &rand::random(), public, auth, plain)
}

fn seal_with(
    own: &PrivateKey,
    salt: &[u8; 16],
    public: &[u8],
    auth: &[u8],
    plain: &[u8],
) -> Option<Vec<u8>> {
    let own_public = own.compute_public_key().ok()?;
    let other = UnparsedPublicKey::new(&ECDH_P256, public);
    let shared = agree(own, other, (), |shared| Ok(shared.to_vec())).ok()?;
    let info = [b"WebPush: info\0".as_slice(), public, own_public.as_ref(), &[1]].concat();
    let input = hash(&hash(auth, &shared)?, &info)?;
    let pseudo = hash(salt, &input)?;
    let key = hash(&pseudo, b"Content-Encoding: aes128gcm\0\x01")?;
    let nonce = hash(&pseudo, b"Content-Encoding: nonce\0\x01")?;
    let key = LessSafeKey::new(UnboundKey::new(&AES_128_GCM, &key[..16]).ok()?);
    let nonce = Nonce::try_assume_unique_for_key(&nonce[..12]).ok()?;
    let mut record = plain.to_vec();
    record.push(LAST);
    key.seal_in_place_append_tag(nonce, Aad::empty(), &mut record).ok()?;

    let id = own_public.as_ref();
    let mut body = salt.to_vec();
    body.extend(RECORD_BYTES.to_be_bytes());
    body.push(u8::try_from(id.len()).ok()?);
    body.extend(id);
    body.extend(record);
    Some(body)
}

fn hash(key: &[u8], bytes: &[u8]) -> Option<[u8; 32]> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).ok()?;
    mac.update(bytes);
    Some(mac.finalize().into_bytes().into())
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;

    use super::*;

    /// The example of RFC 8291, appendix A.
    #[test]
    fn the_example_of_the_standard_comes_out_byte_by_byte() {
        let decode = |text: &str| URL_SAFE_NO_PAD.decode(text).unwrap();
        let own = decode("yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw");
        let own = PrivateKey::from_private_key(&ECDH_P256, &own).unwrap();
        let public = decode(
            "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4",
        );
        let auth = decode("BTBZMqHH6r4Tts7J_aSIgg");
        let salt: [u8; 16] = decode("DGv6ra1nlYgDCS1FRnbzlw").try_into().unwrap();
        let plain = b"When I grow up, I want to be a watermelon";
        let body = seal_with(&own, &salt, &public, &auth, plain).unwrap();
        assert_eq!(
            URL_SAFE_NO_PAD.encode(body),
            "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A_yl95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN"
        );
    }

    #[test]
    fn keys_that_are_none_are_refused() {
        assert_eq!(seal(b"short", b"auth", b"x"), None);
    }
}

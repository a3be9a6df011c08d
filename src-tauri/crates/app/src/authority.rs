//! Certificates of an authority of the person's own, as somebody pasted them.

use slipway_core::{ErrorCode, Failure};

const BEGIN: &str = "-----BEGIN CERTIFICATE-----";
const END: &str = "-----END CERTIFICATE-----";

/// Returns a typed authority, and nothing where nothing was typed.
///
/// # Errors
/// [`ErrorCode::InvalidField`] at `ca_pem`: there is no PEM certificate, or a private key lies beside it. Certificates are
/// stored in the open, so a key must not be among them.
pub(crate) fn typed(pem: Option<&str>) -> Result<Option<String>, Failure> {
    let Some(pem) = pem.filter(|pem| !pem.trim().is_empty()) else { return Ok(None) };
    let refused = |why| Failure::new(ErrorCode::InvalidField, why).at("ca_pem");
    if pem.contains("PRIVATE KEY-----") {
        return Err(refused(
            "there is a private key here; only certificates belong here, and a key is never sent or stored",
        ));
    }
    certificates(pem).ok_or_else(|| refused("these are no PEM certificates"))?;
    Ok(Some(pem.to_owned()))
}

/// Returns the certificates of a PEM text alone: an earlier version kept whatever was pasted.
pub(crate) fn certificates(pem: &str) -> Option<String> {
    let blocks = pem.split(BEGIN).skip(1).filter_map(|rest| Some(rest.split_once(END)?.0.trim()));
    let text: String = blocks.map(|block| format!("{BEGIN}\n{block}\n{END}\n")).collect();
    Some(text).filter(|text| !text.is_empty())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_private_key_is_no_authority() {
        let certificate = format!("{BEGIN}\nMIIB\n{END}\n");
        assert_eq!(typed(None).unwrap(), None);
        assert_eq!(typed(Some(" \n")).unwrap(), None);
        assert_eq!(typed(Some(&certificate)).unwrap().as_ref(), Some(&certificate));
        for kind in ["", "RSA ", "EC ", "ENCRYPTED ", "OPENSSH "] {
            let key = format!("-----BEGIN {kind}PRIVATE KEY-----\nMIIE\n-----END {kind}PRIVATE KEY-----\n");
            for pasted in [key.clone(), format!("{key}{certificate}"), format!("{certificate}{key}")] {
                let failure = typed(Some(&pasted)).unwrap_err();
                assert_eq!((failure.code, failure.field.as_deref()), (ErrorCode::InvalidField, Some("ca_pem")));
                assert!(!format!("{failure:?}").contains("MIIE"));
            }
        }
        assert_eq!(typed(Some("nonsense")).unwrap_err().code, ErrorCode::InvalidField);
        assert_eq!(certificates(&format!("a key\n{certificate}more")).as_ref(), Some(&certificate));
    }
}

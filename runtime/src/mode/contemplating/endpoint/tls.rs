use std::path::Path;
use std::sync::Arc;

use rustls::crypto::ring;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};

use crate::{Error, ErrorKind, Result};

/// Trusts Mozilla's authorities, and those in the file `ca`.
pub(super) fn config(ca: Option<&Path>) -> Result<ClientConfig> {
    let mut roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    if let Some(path) = ca {
        trust(&mut roots, path).map_err(|e| e.in_file(path))?;
    }
    let unsupported = |e: rustls::Error| Error::new(ErrorKind::Unsupported, "TLS", e.to_string());
    let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()));
    let builder = builder.with_safe_default_protocol_versions().map_err(unsupported)?;
    Ok(builder.with_root_certificates(roots).with_no_client_auth())
}

fn trust(roots: &mut RootCertStore, path: &Path) -> Result<()> {
    let malformed = |found: String| Error::malformed("certificates", found, "certificates in PEM");
    let before = roots.len();
    for certificate in CertificateDer::pem_file_iter(path).map_err(|e| malformed(e.to_string()))? {
        let certificate = certificate.map_err(|e| malformed(e.to_string()))?;
        roots.add(certificate).map_err(|e| malformed(e.to_string()))?;
    }
    if roots.len() == before {
        return Err(malformed("none".to_owned()));
    }
    Ok(())
}

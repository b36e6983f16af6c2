//! What an audit asks of identity.

use contract::souk::identity::v1 as wire;
use contract::souk::r#type::v1::AuditFinding;
use kernel::Result;

use super::Api;
use super::accounts::exists;
use crate::store::Defect;

/// Findings in one answer, at most: further ones would not be told anyway.
const FINDINGS_MAX: usize = 1000;

impl Api {
    pub(super) async fn audit_records(&self) -> Result<wire::AuditRecordsResponse> {
        let (mut examined, mut defects) = self.store.defects(exists).await?;
        for key in self.store.signing_keys().await? {
            examined += 1;
            if self.derive.signing_key(&key.seed).verifying_key().to_bytes() != key.public {
                let row = format!("signing key {}", key.id);
                let expected = "the public half of its seed";
                defects.push(Defect { row, expected, found: "another".to_owned() });
            }
        }
        let finding = |defect: Defect| AuditFinding {
            check: "accounts.records".to_owned(),
            row: defect.row,
            expected: defect.expected.to_owned(),
            found: defect.found,
            in_flight: false,
        };
        Ok(wire::AuditRecordsResponse {
            examined: i64::try_from(examined).unwrap_or(i64::MAX),
            findings: defects.into_iter().take(FINDINGS_MAX).map(finding).collect(),
        })
    }
}

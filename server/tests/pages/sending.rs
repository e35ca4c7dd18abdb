//! Objects come to the ward's site as the gateway keeps them.

use dokuei_dicom_gateway::intake::{Archive as _, IndexedArchive, Kept, ReceivedObject};
use dokuei_models::state::Whose;
use dokuei_models::store::images::NewArrival;
use dokuei_models::{ArrivalId, SiteId};
use dokuei_server::clock::Clock as _;

use super::ward::Ward;

/// One arrival: of the site's own device, or of another institution's medium.
pub struct Arrival {
    archive: IndexedArchive,
    site: SiteId,
    id: ArrivalId,
}

impl Arrival {
    pub async fn at(ward: &Ward<'_>, whose: Whose) -> Self {
        let archive = IndexedArchive::new(ward.app.state.db.clone(), ward.app.state.objects.clone());
        let arrival = NewArrival {
            site: ward.site,
            endpoint: None,
            user: None,
            via: if whose == Whose::Ours { "dicom" } else { "upload" },
            whose,
            calling_ae: "HOSPITAL_A".into(),
            address: "127.0.0.1".into(),
            at: ward.app.clock.stamp(),
        };
        let id = archive.open(arrival).await.unwrap();
        Self { archive, site: ward.site, id }
    }

    pub async fn keep(&self, file: &[u8]) -> Kept {
        self.archive.keep(self.site, self.id, ReceivedObject::from_file(file).unwrap()).await.unwrap()
    }
}

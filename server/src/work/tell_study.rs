//! Something changed about a study's images: whoever looks at one of its cases is told.

use dokuei_models::StudyId;
use dokuei_models::store::{cases, reads, studies};

use super::Job;
use crate::state::State;
use crate::wake::Topic;

/// Tells the readers, boards and portals of the study that the job's key names.
///
/// # Errors
/// The database failed; the job is tried again.
pub async fn run(state: State, job: Job) -> anyhow::Result<()> {
    let study: StudyId = job.id_of_key()?;
    let topics = state
        .db
        .read(move |conn| {
            let row = studies::study_get(conn, study)?;
            let mut topics = vec![Topic::Portal(row.site_id.0), Topic::Jobs];
            for (case, _) in studies::study_cases(conn, study)? {
                let case = cases::case_get(conn, case)?;
                topics.push(Topic::Case(case.id.0));
                topics.push(Topic::Board(case.pool_id.0));
                let readers = reads::read_list_of_case(conn, case.id)?.into_iter().filter_map(|read| read.reader_id);
                topics.extend(readers.map(|reader| Topic::Worklist(reader.0)));
            }
            Ok(topics)
        })
        .await?;
    for topic in topics {
        state.wake.tell(topic);
    }
    Ok(())
}

//! Who may open what, written out by hand and compared with what is enforced.
//!
//! A row: method, path, and the authority that the handler must name. The second
//! table says which roles each authority lets in. Both are repeated here on
//! purpose: a change of one right anywhere must be made twice.

use std::collections::{BTreeMap, BTreeSet};

use actix_web::http::{Method, StatusCode};
use dokuei_models::SiteId;
use dokuei_server::authority::{Role, Scope, rights};
use dokuei_server::http;

use super::app::TestApp;

/// One line a route, sorted by path.
const ROUTES: &str = "
GET    /                                           signed_in
GET    /account                                    signed_in
POST   /account/password                           signed_in
POST   /account/screen                             signed_in
POST   /admin/contracts/{contract}/end             administer
POST   /admin/contracts/{contract}/remove          administer
POST   /admin/endpoints                            administer
GET    /admin/endpoints/new                        administer
GET    /admin/endpoints/{endpoint}                 administer
POST   /admin/endpoints/{endpoint}                 administer
POST   /admin/endpoints/{endpoint}/echo            administer
GET    /admin/peers                                administer
GET    /admin/peers/{endpoint}                     administer
POST   /admin/peers/{endpoint}/limits              administer
POST   /admin/peers/{endpoint}/priors              administer
POST   /admin/pools                                administer
POST   /admin/pools/{pool}                         administer
GET    /admin/readers                              administer
POST   /admin/readers                              administer
GET    /admin/readers/new                          administer
GET    /admin/readers/{reader}                     administer
POST   /admin/readers/{reader}                     administer
POST   /admin/readers/{reader}/affiliations        administer
POST   /admin/readers/{reader}/affiliations/{id}/end     administer
POST   /admin/readers/{reader}/affiliations/{id}/remove  administer
POST   /admin/readers/{reader}/privileges          administer
POST   /admin/readers/{reader}/privileges/{id}/end       administer
POST   /admin/readers/{reader}/privileges/{id}/remove    administer
POST   /admin/readers/{reader}/shifts              administer
POST   /admin/readers/{reader}/shifts/{id}/remove  administer
GET    /admin/sites                                administer
POST   /admin/sites                                administer
GET    /admin/sites/new                            administer
GET    /admin/sites/{site}                         administer
POST   /admin/sites/{site}                         administer
POST   /admin/sites/{site}/contracts               administer
POST   /admin/sites/{site}/days                    administer
POST   /admin/sites/{site}/days/{day}/remove       administer
GET    /admin/sites/{site}/edit                    administer
POST   /admin/sites/{site}/filings                 administer
POST   /admin/sites/{site}/filings/{filing}/end    administer
POST   /admin/sites/{site}/filings/{filing}/remove administer
GET    /admin/tariffs                              administer
POST   /admin/tariffs                              administer
GET    /admin/tariffs/{tariff}                     administer
POST   /admin/tariffs/{tariff}/next                administer
POST   /admin/tariffs/{tariff}/prices              administer
POST   /admin/tariffs/{tariff}/remove              administer
POST   /admin/tariffs/{tariff}/surcharges          administer
GET    /admin/users                                administer
POST   /admin/users                                administer
GET    /admin/users/new                            administer
GET    /admin/users/{user}                         administer
POST   /admin/users/{user}                         administer
POST   /admin/users/{user}/grants                  administer
POST   /admin/users/{user}/grants/{grant}/end      administer
POST   /admin/users/{user}/lock                    administer
POST   /admin/users/{user}/password                administer
POST   /admin/users/{user}/tokens/{token}/revoke   administer
POST   /admin/users/{user}/unlock                  administer
GET    /api/v1/arrivals                                                                see_arrivals
GET    /api/v1/arrivals/{study}                                                        see_arrivals
POST   /api/v1/arrivals/{study}/whole                                                  dispatch
GET    /api/v1/audit                                                               audit
GET    /api/v1/audit/seals                                                         audit
GET    /api/v1/billing/{month}                                                     bill
GET    /api/v1/billing/{month}/export.csv                                          bill
GET    /api/v1/board                                                               dispatch
POST   /api/v1/cases/search                                                        dispatch
GET    /api/v1/cases/{case}                                                        dispatch
POST   /api/v1/cases/{case}/cancel                                                 dispatch
POST   /api/v1/cases/{case}/compare                                                dispatch
POST   /api/v1/cases/{case}/deliveries/{delivery}/again                            dispatch
POST   /api/v1/cases/{case}/deliveries/{delivery}/give-up                          dispatch
POST   /api/v1/cases/{case}/exclude                                                dispatch
POST   /api/v1/cases/{case}/hold                                                   dispatch
GET    /api/v1/cases/{case}/medium.zip                                              dispatch
POST   /api/v1/cases/{case}/merge                                                  dispatch
POST   /api/v1/cases/{case}/notes                                                  dispatch
POST   /api/v1/cases/{case}/overrides/{which}/undo                                 dispatch
PUT    /api/v1/cases/{case}/parts                                                  dispatch
POST   /api/v1/cases/{case}/plan                                                   dispatch
POST   /api/v1/cases/{case}/priority                                               dispatch
POST   /api/v1/cases/{case}/reads/{read}/pin                                       dispatch
GET    /api/v1/cases/{case}/reads/{read}/price/{reader}                            dispatch
POST   /api/v1/cases/{case}/reads/{read}/unassign                                  dispatch
POST   /api/v1/cases/{case}/release                                                dispatch
POST   /api/v1/cases/{case}/studies/{study}/attach                                 dispatch
POST   /api/v1/cases/{case}/studies/{study}/detach                                 dispatch
POST   /api/v1/cases/{case}/studies/{study}/split                                  dispatch
POST   /api/v1/cases/{case}/withdraw                                               direct
POST   /api/v1/cases/{case}/withdrawal                                                 dispatch
GET    /api/v1/claims                                                                  dispatch
POST   /api/v1/claims/{study}/decide                                                   dispatch
GET    /api/v1/conflicts                                                               dispatch
GET    /api/v1/conflicts/{study}                                                       dispatch
POST   /api/v1/conflicts/{study}/decide                                                dispatch
POST   /api/v1/conflicts/{study}/undo                                                  dispatch
PUT    /api/v1/endpoints/{endpoint}                                                administer
POST   /api/v1/endpoints/{endpoint}/echo                                           administer
POST   /api/v1/jobs/{job}/again                                                    dispatch
GET    /api/v1/me                                                                  signed_in
GET    /api/v1/openapi.json                                                        anyone
GET    /api/v1/peers                                                                   administer
GET    /api/v1/peers/{endpoint}                                                        administer
GET    /api/v1/peers/{endpoint}/priors                                                 administer
PUT    /api/v1/peers/{endpoint}/priors                                                 administer
GET    /api/v1/portal/arrivals                                                         submit
GET    /api/v1/portal/arrivals/{study}                                                 submit
POST   /api/v1/portal/arrivals/{study}/withdraw                                        submit
GET    /api/v1/portal/cases/{case}                                                 see_reports
POST   /api/v1/portal/cases/{case}/answer                                          submit
GET    /api/v1/portal/cases/{case}/medium.zip                                       see_reports
POST   /api/v1/portal/elsewhere/links/{link}/undo                                   submit
POST   /api/v1/portal/elsewhere/{patient}/discard                                   submit
POST   /api/v1/portal/elsewhere/{patient}/link                                      submit
GET    /api/v1/portal/forms/{file}                                                 see_reports
GET    /api/v1/portal/reports                                                      see_reports
GET    /api/v1/portal/requests                                                     submit
GET    /api/v1/portal/requests/{request}                                           see_reports
POST   /api/v1/portal/requests/{request}/cancel                                    submit
POST   /api/v1/portal/requests/{request}/forms                                     submit
GET    /api/v1/portal/sites                                                        submit
GET    /api/v1/portal/sites/{site}/elsewhere                                        submit
POST   /api/v1/portal/sites/{site}/images                                          submit
POST   /api/v1/portal/sites/{site}/requests                                        submit
POST   /api/v1/portal/versions/{version}/accept                                    act_on_reports
POST   /api/v1/portal/versions/{version}/act                                       act_on_reports
GET    /api/v1/portal/versions/{version}/report.pdf                                see_reports
POST   /api/v1/portal/withdrawals/{withdrawal}/undo                                    submit
GET    /api/v1/quarantine/{object}                                                     dispatch
POST   /api/v1/quarantine/{object}/assign                                              dispatch
GET    /api/v1/quarantine/{object}/file                                                dispatch
POST   /api/v1/quarantine/{object}/find                                                dispatch
POST   /api/v1/quarantine/{object}/resolve                                         dispatch
POST   /api/v1/quarantine/{object}/restore                                             dispatch
POST   /api/v1/quarantine/{object}/retry                                               dispatch
GET    /api/v1/readers                                                             administer
GET    /api/v1/reads/{read}                                                        see_reads
POST   /api/v1/reads/{read}/addendum                                               read
POST   /api/v1/reads/{read}/ask                                                    read
POST   /api/v1/reads/{read}/compare                                                read
POST   /api/v1/reads/{read}/decline                                                read
PUT    /api/v1/reads/{read}/draft                                                  read
POST   /api/v1/reads/{read}/give-back                                              read
POST   /api/v1/reads/{read}/heartbeat                                              read
GET    /api/v1/reads/{read}/images                                                 see_reads
GET    /api/v1/reads/{read}/images/{instance}/frames/{frame}/png                   see_reads
POST   /api/v1/reads/{read}/report-stands                                              read
GET    /api/v1/reads/{read}/sign                                                   read
POST   /api/v1/reads/{read}/sign                                                   read
POST   /api/v1/reads/{read}/start                                                  read
GET    /api/v1/reads/{read}/versions/{version}/report.pdf                          see_reads
POST   /api/v1/reads/{read}/views                                                  read
POST   /api/v1/reads/{read}/withdraw                                               read
GET    /api/v1/sites                                                               administer
POST   /api/v1/sites                                                               administer
GET    /api/v1/sites/{site}                                                        administer
PUT    /api/v1/sites/{site}                                                        administer
GET    /api/v1/sites/{site}/endpoints                                              administer
POST   /api/v1/sites/{site}/endpoints                                              administer
GET    /api/v1/skills.csv                                                          administer
PUT    /api/v1/skills.csv                                                          administer
GET    /api/v1/trouble                                                             dispatch
POST   /api/v1/unmatched/join                                                      dispatch
POST   /api/v1/unmatched/requests/{request}/withdraw                               dispatch
POST   /api/v1/unmatched/studies/{study}/keep                                      dispatch
POST   /api/v1/unmatched/studies/{study}/open                                      dispatch
GET    /api/v1/users                                                               administer
POST   /api/v1/users                                                               administer
POST   /api/v1/users/{user}/lock                                                   administer
POST   /api/v1/users/{user}/unlock                                                 administer
GET    /api/v1/worklist                                                            read
POST   /api/v1/worklist/presence                                                   read
GET    /arrivals                                   see_arrivals
GET    /arrivals/events                            see_arrivals
GET    /arrivals/list                              see_arrivals
GET    /arrivals/{study}                           see_arrivals
POST   /arrivals/{study}/whole                     dispatch
GET    /assets/{hash}/{name:.*}                    anyone
GET    /audit                                      audit
POST   /audit/verify                               audit
GET    /billing                                    bill
GET    /billing/export                             bill
GET    /ca/root.pem                   anyone
GET    /cases/{case}                               dispatch
POST   /cases/{case}/cancel                        dispatch
POST   /cases/{case}/compare                       dispatch
POST   /cases/{case}/deliveries/{delivery}/again   dispatch
POST   /cases/{case}/deliveries/{delivery}/give-up dispatch
GET    /cases/{case}/events                        dispatch
POST   /cases/{case}/exclude                       dispatch
POST   /cases/{case}/hold                          dispatch
GET    /cases/{case}/medium.zip                    dispatch
POST   /cases/{case}/merge                         dispatch
POST   /cases/{case}/notes                         dispatch
POST   /cases/{case}/overrides/{which}/undo        dispatch
POST   /cases/{case}/parts                         dispatch
POST   /cases/{case}/plan                          dispatch
POST   /cases/{case}/priority                      dispatch
POST   /cases/{case}/priors                        dispatch
POST   /cases/{case}/reads/{read}/pin              dispatch
GET    /cases/{case}/reads/{read}/price            dispatch
POST   /cases/{case}/reads/{read}/unassign         dispatch
POST   /cases/{case}/release                       dispatch
POST   /cases/{case}/studies/{study}/attach        dispatch
POST   /cases/{case}/studies/{study}/detach        dispatch
POST   /cases/{case}/studies/{study}/split         dispatch
POST   /cases/{case}/withdraw                      direct
GET    /dicomweb/cases/{root}/instances                                                                       see_reads
GET    /dicomweb/cases/{root}/series                                                                          see_reads
GET    /dicomweb/cases/{root}/studies                                                                         see_reads
GET    /dicomweb/cases/{root}/studies/{study}                                                                 see_reads
GET    /dicomweb/cases/{root}/studies/{study}/instances                                                       see_reads
GET    /dicomweb/cases/{root}/studies/{study}/metadata                                                        see_reads
GET    /dicomweb/cases/{root}/studies/{study}/series                                                          see_reads
GET    /dicomweb/cases/{root}/studies/{study}/series/{series}                                                 see_reads
GET    /dicomweb/cases/{root}/studies/{study}/series/{series}/instances                                       see_reads
GET    /dicomweb/cases/{root}/studies/{study}/series/{series}/instances/{instance}                            see_reads
GET    /dicomweb/cases/{root}/studies/{study}/series/{series}/instances/{instance}/bulkdata/{bulk:.+}         see_reads
GET    /dicomweb/cases/{root}/studies/{study}/series/{series}/instances/{instance}/frames/{frames}            see_reads
GET    /dicomweb/cases/{root}/studies/{study}/series/{series}/instances/{instance}/frames/{frames}/rendered   see_reads
GET    /dicomweb/cases/{root}/studies/{study}/series/{series}/instances/{instance}/frames/{frames}/thumbnail  see_reads
GET    /dicomweb/cases/{root}/studies/{study}/series/{series}/instances/{instance}/metadata                   see_reads
GET    /dicomweb/cases/{root}/studies/{study}/series/{series}/instances/{instance}/rendered                   see_reads
GET    /dicomweb/cases/{root}/studies/{study}/series/{series}/instances/{instance}/thumbnail                  see_reads
GET    /dicomweb/cases/{root}/studies/{study}/series/{series}/metadata                                        see_reads
GET    /dicomweb/cases/{root}/studies/{study}/series/{series}/thumbnail                                       see_reads
GET    /dicomweb/cases/{root}/studies/{study}/thumbnail                                                       see_reads
GET    /dicomweb/sites/{root}/instances                                                                       see_images
GET    /dicomweb/sites/{root}/series                                                                          see_images
GET    /dicomweb/sites/{root}/studies                                                                         see_images
POST   /dicomweb/sites/{root}/studies                                                                         submit
GET    /dicomweb/sites/{root}/studies/{study}                                                                 see_images
POST   /dicomweb/sites/{root}/studies/{study}                                                                 submit
GET    /dicomweb/sites/{root}/studies/{study}/instances                                                       see_images
GET    /dicomweb/sites/{root}/studies/{study}/metadata                                                        see_images
GET    /dicomweb/sites/{root}/studies/{study}/series                                                          see_images
GET    /dicomweb/sites/{root}/studies/{study}/series/{series}                                                 see_images
GET    /dicomweb/sites/{root}/studies/{study}/series/{series}/instances                                       see_images
GET    /dicomweb/sites/{root}/studies/{study}/series/{series}/instances/{instance}                            see_images
GET    /dicomweb/sites/{root}/studies/{study}/series/{series}/instances/{instance}/bulkdata/{bulk:.+}         see_images
GET    /dicomweb/sites/{root}/studies/{study}/series/{series}/instances/{instance}/frames/{frames}            see_images
GET    /dicomweb/sites/{root}/studies/{study}/series/{series}/instances/{instance}/frames/{frames}/rendered   see_images
GET    /dicomweb/sites/{root}/studies/{study}/series/{series}/instances/{instance}/frames/{frames}/thumbnail  see_images
GET    /dicomweb/sites/{root}/studies/{study}/series/{series}/instances/{instance}/metadata                   see_images
GET    /dicomweb/sites/{root}/studies/{study}/series/{series}/instances/{instance}/rendered                   see_images
GET    /dicomweb/sites/{root}/studies/{study}/series/{series}/instances/{instance}/thumbnail                  see_images
GET    /dicomweb/sites/{root}/studies/{study}/series/{series}/metadata                                        see_images
GET    /dicomweb/sites/{root}/studies/{study}/series/{series}/thumbnail                                       see_images
GET    /dicomweb/sites/{root}/studies/{study}/thumbnail                                                       see_images
GET    /dispatch                                   dispatch
GET    /dispatch/board                             dispatch
POST   /dispatch/cases/{case}/withdrawal           dispatch
POST   /dispatch/cases/{case}/withdrawn-settled    dispatch
POST   /dispatch/claims/{study}/decide             dispatch
GET    /dispatch/conflicts/{study}                 dispatch
POST   /dispatch/conflicts/{study}/decide          dispatch
POST   /dispatch/conflicts/{study}/undo            dispatch
POST   /dispatch/deliveries/{delivery}/again       dispatch
POST   /dispatch/deliveries/{delivery}/give-up     dispatch
GET    /dispatch/events                            dispatch
POST   /dispatch/jobs/{job}/again                  dispatch
POST   /dispatch/join                              dispatch
GET    /dispatch/quarantine/{object}               dispatch
POST   /dispatch/quarantine/{object}/assign        dispatch
GET    /dispatch/quarantine/{object}/file          dispatch
POST   /dispatch/quarantine/{object}/find          dispatch
POST   /dispatch/quarantine/{object}/resolve       dispatch
POST   /dispatch/quarantine/{object}/restore       dispatch
POST   /dispatch/quarantine/{object}/retry         dispatch
GET    /dispatch/requests/{request}                dispatch
POST   /dispatch/requests/{request}/withdraw       dispatch
POST   /dispatch/search                            dispatch
GET    /dispatch/studies/{study}                   dispatch
POST   /dispatch/studies/{study}/keep              dispatch
POST   /dispatch/studies/{study}/open              dispatch
GET    /dispatch/trouble                           dispatch
GET    /dispatch/versions/{version}/png            dispatch
GET    /favicon.ico                                anyone
GET    /healthz                                    anyone
GET    /internal/objects/{key:.+}                  node
POST   /language                                   anyone
GET    /login                                      anyone
POST   /login                                      anyone
POST   /logout                                     signed_in
GET    /metrics                                    monitor
GET    /portal                                     submit
GET    /portal/arrivals                            submit
GET    /portal/arrivals/list                       submit
GET    /portal/arrivals/{study}                    submit
POST   /portal/arrivals/{study}/withdraw           submit
GET    /portal/cases/{case}                        see_reports
POST   /portal/cases/{case}/answer                 submit
GET    /portal/cases/{case}/events                 see_reports
GET    /portal/cases/{case}/medium.zip             see_reports
GET    /portal/cases/{case}/status                 see_reports
GET    /portal/elsewhere                           submit
POST   /portal/elsewhere/links/{link}/undo         submit
POST   /portal/elsewhere/{patient}/discard         submit
POST   /portal/elsewhere/{patient}/link            submit
GET    /portal/events                              submit
GET    /portal/form                                submit
GET    /portal/forms/{file}                        see_reports
GET    /portal/list                                submit
GET    /portal/reports                             see_reports
POST   /portal/requests                            submit
GET    /portal/requests/{request}                  see_reports
POST   /portal/requests/{request}/cancel           submit
POST   /portal/uploads                             submit
POST   /portal/uploads/{id}/end                    submit
POST   /portal/uploads/{id}/files                  submit
POST   /portal/versions/{version}/accept           act_on_reports
POST   /portal/versions/{version}/act              act_on_reports
GET    /portal/versions/{version}/report.pdf       see_reports
POST   /portal/withdrawals/{withdrawal}/undo       submit
GET    /reads/{read}                  see_reads
POST   /reads/{read}/addendum         read
POST   /reads/{read}/ask              read
POST   /reads/{read}/compare          read
POST   /reads/{read}/decline          read
POST   /reads/{read}/draft            read
GET    /reads/{read}/events           see_reads
GET    /reads/{read}/files/{file}     see_reads
POST   /reads/{read}/give-back        read
POST   /reads/{read}/heartbeat        read
GET    /reads/{read}/images           see_reads
GET    /reads/{read}/images/{instance}/frames/{frame}/png  see_reads
GET    /reads/{read}/images/{instance}/frames/{frame}/raw  see_reads
POST   /reads/{read}/priors           read
POST   /reads/{read}/report-stands    read
GET    /reads/{read}/sign             read
POST   /reads/{read}/sign             read
POST   /reads/{read}/start            read
GET    /reads/{read}/state            see_reads
GET    /reads/{read}/versions/{version}/pdf  see_reads
POST   /reads/{read}/views            read
POST   /reads/{read}/withdraw         read
GET    /readyz                                     anyone
GET    /skills                        administer
POST   /skills/cells                  administer
GET    /skills/export                 administer
POST   /skills/import                 administer
GET    /styleguide                                 administer
GET    /styleguide/drawer                          administer
POST   /styleguide/refusal                         administer
GET    /worklist                      read
GET    /worklist/events               read
GET    /worklist/list                 read
POST   /worklist/presence             read
";

/// One line an authority: the roles it lets in.
const RIGHTS: &str = "
submit          site_clerk site_technologist site_doctor
see_images      site_technologist site_doctor dispatcher reading_director
see_reports     site_clerk site_technologist site_doctor
act_on_reports  site_doctor
read            reader
see_reads       reader dispatcher reading_director
direct          reading_director
dispatch        dispatcher reading_director
see_arrivals    dispatcher reading_director administrator
bill            billing
administer      administrator
audit           security_officer
";

fn lines(text: &str) -> Vec<Vec<&str>> {
    text.lines().map(|line| line.split_whitespace().collect::<Vec<_>>()).filter(|words| !words.is_empty()).collect()
}

#[test]
fn the_table_of_routes_is_the_written_one() {
    let written: BTreeSet<(String, String, String)> =
        lines(ROUTES).iter().map(|w| (w[1].to_owned(), w[0].to_owned(), w[2].to_owned())).collect();
    let real: BTreeSet<(String, String, String)> = http::all_routes()
        .table()
        .into_iter()
        .map(|line| (line.path, line.method.to_string(), line.needs.to_owned()))
        .collect();
    let unwritten: Vec<_> = real.difference(&written).collect();
    let missing: Vec<_> = written.difference(&real).collect();
    assert!(
        unwritten.is_empty() && missing.is_empty(),
        "not in the matrix: {unwritten:#?}\nnot in the application: {missing:#?}"
    );
}

#[test]
fn no_route_is_registered_twice() {
    let table = http::all_routes().table();
    let distinct: BTreeSet<_> = table.iter().map(|line| (line.path.clone(), line.method.to_string())).collect();
    assert_eq!(distinct.len(), table.len());
}

#[test]
fn each_right_is_conferred_by_the_written_roles() {
    let written: BTreeMap<&str, BTreeSet<&str>> =
        lines(RIGHTS).into_iter().map(|words| (words[0], words[1..].iter().copied().collect())).collect();
    let real: BTreeMap<&str, BTreeSet<&str>> =
        rights::ALL.iter().map(|(right, roles)| (*right, roles.iter().map(|role| role.code()).collect())).collect();
    assert_eq!(real, written);
}

/// The role x route product, over the real stack: what the matrix forbids is refused, what it allows is not.
#[actix_web::test]
async fn every_role_is_let_in_exactly_where_the_matrix_says() {
    let app = TestApp::init().await;
    let allowed: BTreeMap<&str, Vec<&str>> =
        lines(RIGHTS).into_iter().map(|words| (words[0], words[1..].to_vec())).collect();
    let site = dokuei_site(&app).await;
    for role in Role::ALL {
        let scope = if role.is_of_a_site() { Scope::Site(site) } else { Scope::All };
        let client = app.with_user(role.code(), &[(role, scope)]).await;
        for words in lines(ROUTES) {
            let (method, pattern, needs) = (words[0], words[1], words[2]);
            // Signing out would end the walk; it is tested by itself.
            if pattern == "/logout" || matches!(needs, "monitor" | "node") {
                continue;
            }
            let path = concrete(pattern);
            // A wrong body is refused after the authority was asked, which is what is looked at.
            let method: Method = method.parse().unwrap();
            let answer =
                client.send(method, &path, &[("accept", "application/json"), ("x-csrf-token", &client.csrf)], "").await;
            let may = match needs {
                "anyone" | "signed_in" => true,
                right => allowed[right].contains(&role.code()),
            };
            // Only a refusal by authority counts: a handler may refuse for reasons of its own (no reader's row).
            let codes = ["\"code\":\"not_allowed\"", "\"code\":\"sign_in_first\""];
            let refused = codes.iter().any(|code| answer.body.contains(code));
            assert_ne!(refused, may, "{} {pattern} as {}: {}", words[0], role.code(), answer.status);
        }
    }
}

#[actix_web::test]
async fn without_an_account_only_what_is_for_anyone_opens() {
    let app = TestApp::init().await;
    for words in lines(ROUTES).into_iter().filter(|words| words[2] != "anyone") {
        let answer = app
            .anonymous()
            .send(words[0].parse().unwrap(), &concrete(words[1]), &[("accept", "application/json")], "")
            .await;
        let expected =
            if matches!(words[2], "monitor" | "node") { StatusCode::NOT_FOUND } else { StatusCode::UNAUTHORIZED };
        assert_eq!(answer.status, expected, "{} {}", words[0], words[1]);
    }
}

/// A path with a value in each hole.
fn concrete(pattern: &str) -> String {
    pattern.split('/').map(|part| if part.starts_with('{') { "999999999" } else { part }).collect::<Vec<_>>().join("/")
}

/// A site to be a clerk of.
async fn dokuei_site(app: &TestApp) -> SiteId {
    super::accounts::add_site(app, "施設A").await
}

-- The first schema. Its twin for the other database has the same tables, columns and order.
-- Times are UTC. Days are plain dates of the site's calendar (JST). Money is whole yen.

-- sites ---------------------------------------------------------------------
CREATE TABLE pools (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  code TEXT NOT NULL UNIQUE,
  name_ja TEXT NOT NULL,
  name_en TEXT NOT NULL
);
CREATE TABLE sites (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  pool_id BIGINT NOT NULL REFERENCES pools(id),
  code TEXT NOT NULL UNIQUE,
  name_ja TEXT NOT NULL,
  name_en TEXT NOT NULL,
  refers BOOLEAN NOT NULL,
  reads BOOLEAN NOT NULL,
  insured BOOLEAN NOT NULL,
  institution_code TEXT,
  phone TEXT NOT NULL,
  email TEXT NOT NULL,
  patient_id_rule TEXT NOT NULL,
  orphan_rule TEXT NOT NULL,
  orphan_wait_minutes INTEGER NOT NULL,
  comparison_after_days INTEGER NOT NULL,
  quiet_seconds INTEGER NOT NULL,
  unknown_classes BOOLEAN NOT NULL,
  standing_notes TEXT NOT NULL,
  demo BOOLEAN NOT NULL,
  research BOOLEAN NOT NULL,
  active BOOLEAN NOT NULL,
  version INTEGER NOT NULL
);
CREATE TABLE filings (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  site_id BIGINT NOT NULL REFERENCES sites(id),
  kind TEXT NOT NULL,
  from_day DATE NOT NULL,
  to_day DATE,
  note TEXT NOT NULL
);
CREATE TABLE site_endpoints (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  site_id BIGINT NOT NULL REFERENCES sites(id),
  name TEXT NOT NULL,
  kind TEXT NOT NULL,
  sends BOOLEAN NOT NULL,
  receives BOOLEAN NOT NULL,
  ae_title TEXT NOT NULL,
  host TEXT NOT NULL,
  port INTEGER NOT NULL,
  addresses TEXT NOT NULL,
  active BOOLEAN NOT NULL,
  last_contact_at TIMESTAMP,
  last_error TEXT,
  version INTEGER NOT NULL,
  queries BOOLEAN NOT NULL DEFAULT FALSE,
  tls TEXT NOT NULL DEFAULT 'none',
  certificate_sha256 TEXT NOT NULL DEFAULT '',
  character_set TEXT NOT NULL DEFAULT '',
  name_form TEXT NOT NULL DEFAULT 'all',
  watched BOOLEAN NOT NULL DEFAULT FALSE
);
CREATE INDEX site_endpoints_by_ae ON site_endpoints(ae_title);
CREATE TABLE endpoint_states (
  endpoint_id BIGINT PRIMARY KEY REFERENCES site_endpoints(id),
  echo_at TIMESTAMP,
  echo_ms INTEGER,
  answered_at TIMESTAMP,
  failing_since TIMESTAMP,
  failures INTEGER NOT NULL,
  failure TEXT,
  tls_at TIMESTAMP,
  tls_version TEXT,
  certificate_sha256 TEXT,
  certificate_subject TEXT,
  certificate_not_after TIMESTAMP
);
CREATE TABLE site_calendars (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  site_id BIGINT REFERENCES sites(id),
  day DATE NOT NULL,
  name TEXT NOT NULL
);
CREATE TABLE tariffs (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  name TEXT NOT NULL,
  from_day DATE NOT NULL,
  to_day DATE
);
CREATE TABLE tariff_lines (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  tariff_id BIGINT NOT NULL REFERENCES tariffs(id),
  kind TEXT NOT NULL,
  modality TEXT,
  region TEXT,
  priority TEXT,
  amount_yen BIGINT NOT NULL
);
CREATE TABLE contracts (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  site_id BIGINT NOT NULL REFERENCES sites(id),
  tariff_name TEXT NOT NULL,
  from_day DATE NOT NULL,
  to_day DATE,
  due_stat_minutes INTEGER NOT NULL,
  due_urgent_minutes INTEGER NOT NULL,
  due_priority_minutes INTEGER NOT NULL,
  due_routine_minutes INTEGER NOT NULL,
  price_day TEXT NOT NULL,
  hold_stops_clock BOOLEAN NOT NULL,
  password_each_signature BOOLEAN NOT NULL
);

-- people --------------------------------------------------------------------
CREATE TABLE users (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  login TEXT NOT NULL UNIQUE,
  name_ja TEXT NOT NULL,
  name_kana TEXT NOT NULL,
  name_en TEXT NOT NULL,
  email TEXT NOT NULL,
  password_hash TEXT NOT NULL,
  language TEXT NOT NULL,
  theme TEXT NOT NULL,
  active BOOLEAN NOT NULL,
  created_at TIMESTAMP NOT NULL,
  version INTEGER NOT NULL
);
CREATE TABLE grants (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  user_id BIGINT NOT NULL REFERENCES users(id),
  role TEXT NOT NULL,
  site_id BIGINT REFERENCES sites(id),
  pool_id BIGINT REFERENCES pools(id),
  from_at TIMESTAMP NOT NULL,
  to_at TIMESTAMP,
  given_by BIGINT REFERENCES users(id)
);
CREATE INDEX grants_by_user ON grants(user_id);
CREATE TABLE sessions (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  user_id BIGINT NOT NULL REFERENCES users(id),
  token_hash TEXT NOT NULL UNIQUE,
  csrf_token TEXT NOT NULL,
  address TEXT NOT NULL,
  created_at TIMESTAMP NOT NULL,
  seen_at TIMESTAMP NOT NULL,
  expires_at TIMESTAMP NOT NULL,
  signing_opened_at TIMESTAMP,
  signing_used_at TIMESTAMP
);
CREATE TABLE api_tokens (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  user_id BIGINT NOT NULL REFERENCES users(id),
  name TEXT NOT NULL,
  token_hash TEXT NOT NULL UNIQUE,
  created_at TIMESTAMP NOT NULL,
  expires_at TIMESTAMP,
  used_at TIMESTAMP,
  revoked_at TIMESTAMP
);
CREATE TABLE login_attempts (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  login TEXT NOT NULL,
  address TEXT NOT NULL,
  at TIMESTAMP NOT NULL,
  succeeded BOOLEAN NOT NULL
);
CREATE INDEX login_attempts_by_login ON login_attempts(login, at);
CREATE INDEX login_attempts_by_address ON login_attempts(address, at);
CREATE TABLE readers (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  user_id BIGINT NOT NULL UNIQUE REFERENCES users(id),
  pool_id BIGINT NOT NULL REFERENCES pools(id),
  qualification TEXT NOT NULL,
  pace DOUBLE NOT NULL,
  capacity_minutes INTEGER NOT NULL,
  logged_in BOOLEAN NOT NULL,
  paused BOOLEAN NOT NULL,
  presence_at TIMESTAMP,
  active BOOLEAN NOT NULL,
  version INTEGER NOT NULL
);
CREATE TABLE signing_keys (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  reader_id BIGINT NOT NULL REFERENCES readers(id),
  certificate_pem TEXT NOT NULL,
  sealed_key BLOB NOT NULL,
  created_at TIMESTAMP NOT NULL,
  revoked_at TIMESTAMP
);
CREATE TABLE affiliations (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  reader_id BIGINT NOT NULL REFERENCES readers(id),
  site_id BIGINT NOT NULL REFERENCES sites(id),
  full_time BOOLEAN NOT NULL,
  filed BOOLEAN NOT NULL,
  weekly_days INTEGER NOT NULL,
  weekly_hours INTEGER NOT NULL,
  from_day DATE NOT NULL,
  to_day DATE
);
CREATE TABLE privileges (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  reader_id BIGINT NOT NULL REFERENCES readers(id),
  site_id BIGINT NOT NULL REFERENCES sites(id),
  from_day DATE NOT NULL,
  to_day DATE
);
CREATE TABLE shift_patterns (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  reader_id BIGINT NOT NULL REFERENCES readers(id),
  weekday INTEGER NOT NULL,
  start_minute INTEGER NOT NULL,
  end_minute INTEGER NOT NULL,
  place TEXT NOT NULL
);
CREATE TABLE shifts (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  reader_id BIGINT NOT NULL REFERENCES readers(id),
  starts_at TIMESTAMP NOT NULL,
  ends_at TIMESTAMP NOT NULL,
  place TEXT NOT NULL,
  pattern_id BIGINT REFERENCES shift_patterns(id)
);
CREATE INDEX shifts_by_reader ON shifts(reader_id, ends_at);

-- skills --------------------------------------------------------------------
CREATE TABLE skills (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  reader_id BIGINT NOT NULL REFERENCES readers(id),
  region TEXT NOT NULL,
  modality TEXT NOT NULL,
  declared INTEGER NOT NULL,
  changed_at TIMESTAMP NOT NULL,
  changed_by BIGINT REFERENCES users(id),
  UNIQUE (reader_id, region, modality)
);

-- arrivals ------------------------------------------------------------------
CREATE TABLE arrivals (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  site_id BIGINT NOT NULL REFERENCES sites(id),
  endpoint_id BIGINT REFERENCES site_endpoints(id),
  user_id BIGINT REFERENCES users(id),
  via TEXT NOT NULL,
  whose TEXT NOT NULL,
  calling_ae TEXT NOT NULL,
  address TEXT NOT NULL,
  started_at TIMESTAMP NOT NULL,
  ended_at TIMESTAMP,
  kept INTEGER NOT NULL,
  repeated INTEGER NOT NULL,
  quarantined INTEGER NOT NULL,
  failed INTEGER NOT NULL,
  bytes BIGINT NOT NULL,
  outcome TEXT NOT NULL
);
CREATE INDEX arrivals_by_endpoint ON arrivals(endpoint_id, started_at);
CREATE TABLE arrival_studies (
  arrival_id BIGINT NOT NULL REFERENCES arrivals(id),
  study_uid TEXT NOT NULL,
  instances INTEGER NOT NULL,
  PRIMARY KEY (arrival_id, study_uid)
);
CREATE TABLE upload_directories (
  arrival_id BIGINT NOT NULL REFERENCES arrivals(id),
  study_uid TEXT NOT NULL,
  study_date TEXT NOT NULL,
  description TEXT NOT NULL,
  instances TEXT NOT NULL,
  PRIMARY KEY (arrival_id, study_uid)
);

-- patients ------------------------------------------------------------------
CREATE TABLE patients (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  site_id BIGINT NOT NULL REFERENCES sites(id),
  medium_id BIGINT REFERENCES arrivals(id),
  issuer TEXT NOT NULL,
  patient_key TEXT NOT NULL,
  patient_id TEXT NOT NULL,
  name_alphabetic TEXT NOT NULL,
  name_ideographic TEXT NOT NULL,
  name_phonetic TEXT NOT NULL,
  birth_date DATE,
  sex TEXT NOT NULL,
  search_text TEXT NOT NULL,
  name_search TEXT NOT NULL,
  created_at TIMESTAMP NOT NULL,
  version INTEGER NOT NULL
);
CREATE UNIQUE INDEX patients_own ON patients(site_id, patient_key) WHERE medium_id IS NULL;
CREATE UNIQUE INDEX patients_foreign ON patients(medium_id, issuer, patient_key) WHERE medium_id IS NOT NULL;
CREATE INDEX patients_by_id ON patients(site_id, patient_id);
CREATE TABLE patient_links (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  site_id BIGINT NOT NULL REFERENCES sites(id),
  foreign_id BIGINT NOT NULL REFERENCES patients(id),
  own_id BIGINT REFERENCES patients(id),
  state TEXT NOT NULL,
  reason TEXT NOT NULL,
  by_user_id BIGINT NOT NULL REFERENCES users(id),
  at TIMESTAMP NOT NULL,
  undone_at TIMESTAMP,
  undone_by BIGINT REFERENCES users(id),
  undone_reason TEXT
);
CREATE UNIQUE INDEX patient_links_in_force ON patient_links(foreign_id) WHERE undone_at IS NULL;
CREATE INDEX patient_links_of_own ON patient_links(own_id);

-- images --------------------------------------------------------------------
CREATE TABLE refusals (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  at TIMESTAMP NOT NULL,
  calling_ae TEXT NOT NULL,
  called_ae TEXT NOT NULL,
  address TEXT NOT NULL,
  reason TEXT NOT NULL
);
CREATE TABLE studies (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  site_id BIGINT NOT NULL REFERENCES sites(id),
  study_uid TEXT NOT NULL,
  patient_id BIGINT NOT NULL REFERENCES patients(id),
  elsewhere BOOLEAN NOT NULL,
  header_patient_id TEXT NOT NULL,
  header_name_alphabetic TEXT NOT NULL,
  header_name_ideographic TEXT NOT NULL,
  header_name_phonetic TEXT NOT NULL,
  header_birth_date DATE,
  header_sex TEXT NOT NULL,
  name_search TEXT NOT NULL,
  accession_number TEXT NOT NULL,
  study_date DATE,
  study_time TEXT NOT NULL,
  study_id_text TEXT NOT NULL,
  description TEXT NOT NULL,
  modalities TEXT NOT NULL,
  institution TEXT NOT NULL,
  referring_physician TEXT NOT NULL,
  instances INTEGER NOT NULL,
  series INTEGER NOT NULL,
  first_received_at TIMESTAMP NOT NULL,
  last_received_at TIMESTAMP NOT NULL,
  settled_at TIMESTAMP,
  settled_instances INTEGER NOT NULL,
  match_state TEXT NOT NULL,
  match_reason TEXT,
  match_deadline TIMESTAMP,
  version INTEGER NOT NULL,
  UNIQUE (site_id, study_uid)
);
CREATE INDEX studies_by_patient ON studies(patient_id);
CREATE TABLE study_claims (
  study_id BIGINT NOT NULL PRIMARY KEY REFERENCES studies(id),
  site_id BIGINT NOT NULL REFERENCES sites(id),
  facts TEXT NOT NULL,
  arrival_id BIGINT REFERENCES arrivals(id),
  claimed_at TIMESTAMP NOT NULL,
  decided_at TIMESTAMP,
  decided_by BIGINT REFERENCES users(id),
  decision TEXT CHECK (decision IN ('ours', 'elsewhere')),
  reason TEXT
);
CREATE INDEX study_claims_waiting ON study_claims(site_id, decided_at);
CREATE INDEX studies_by_match ON studies(match_state);
CREATE INDEX studies_by_accession ON studies(site_id, accession_number);
CREATE INDEX studies_by_header_patient ON studies(site_id, header_patient_id);
-- What is searched for in parts stands in it, so that a search looks at thousands of studies without fetching their rows.
CREATE INDEX studies_by_date ON studies(site_id, study_date, id, elsewhere, modalities, name_search, header_patient_id, accession_number);
CREATE TABLE series (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  study_id BIGINT NOT NULL REFERENCES studies(id),
  series_uid TEXT NOT NULL,
  modality TEXT NOT NULL,
  number INTEGER,
  description TEXT NOT NULL,
  protocol TEXT NOT NULL,
  body_part TEXT NOT NULL,
  laterality TEXT NOT NULL,
  view_position TEXT NOT NULL,
  instances INTEGER NOT NULL,
  first_received_at TIMESTAMP NOT NULL,
  UNIQUE (study_id, series_uid)
);
CREATE INDEX series_by_uid ON series(series_uid);
CREATE TABLE instances (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  site_id BIGINT NOT NULL REFERENCES sites(id),
  study_id BIGINT NOT NULL REFERENCES studies(id),
  series_id BIGINT NOT NULL REFERENCES series(id),
  arrival_id BIGINT REFERENCES arrivals(id),
  sop_instance_uid TEXT NOT NULL,
  sop_class_uid TEXT NOT NULL,
  transfer_syntax TEXT NOT NULL,
  sha256 TEXT NOT NULL,
  size BIGINT NOT NULL,
  object_key TEXT NOT NULL,
  number INTEGER,
  image_rows INTEGER,
  image_columns INTEGER,
  frames INTEGER NOT NULL,
  position_along_normal DOUBLE,
  received_at TIMESTAMP NOT NULL,
  hidden_at TIMESTAMP,
  UNIQUE (site_id, sop_instance_uid)
);
CREATE INDEX instances_by_series ON instances(series_id);
CREATE INDEX instances_by_study ON instances(study_id);
CREATE INDEX instances_by_object ON instances(object_key);
CREATE TABLE instance_versions (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  instance_id BIGINT NOT NULL REFERENCES instances(id),
  site_id BIGINT NOT NULL REFERENCES sites(id),
  study_id BIGINT NOT NULL REFERENCES studies(id),
  arrival_id BIGINT REFERENCES arrivals(id),
  difference TEXT NOT NULL,
  standing TEXT NOT NULL,
  changed TEXT NOT NULL,
  identity_changes TEXT NOT NULL,
  facts TEXT NOT NULL,
  sha256 TEXT NOT NULL,
  size BIGINT NOT NULL,
  object_key TEXT NOT NULL,
  received_at TIMESTAMP NOT NULL,
  decided_at TIMESTAMP,
  decided_by BIGINT REFERENCES users(id),
  reason TEXT,
  UNIQUE (instance_id, sha256)
);
CREATE INDEX instance_versions_by_study ON instance_versions(study_id, standing);
CREATE INDEX instance_versions_by_standing ON instance_versions(standing, site_id);
CREATE INDEX instance_versions_by_object ON instance_versions(object_key);
CREATE TABLE quarantine (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  site_id BIGINT NOT NULL REFERENCES sites(id),
  arrival_id BIGINT REFERENCES arrivals(id),
  reason TEXT NOT NULL,
  detail TEXT NOT NULL,
  sop_instance_uid TEXT NOT NULL,
  sha256 TEXT NOT NULL,
  size BIGINT NOT NULL,
  object_key TEXT NOT NULL,
  received_at TIMESTAMP NOT NULL,
  resolved_at TIMESTAMP,
  resolved_by BIGINT REFERENCES users(id),
  outcome TEXT CHECK (outcome IN ('read_again', 'assigned', 'discarded')),
  resolution TEXT,
  UNIQUE (site_id, sha256)
);
CREATE TABLE study_evidence (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  site_id BIGINT NOT NULL REFERENCES sites(id),
  study_uid TEXT NOT NULL,
  kind TEXT NOT NULL,
  source TEXT NOT NULL,
  expected_instances INTEGER,
  detail TEXT NOT NULL,
  at TIMESTAMP NOT NULL
);
CREATE INDEX study_evidence_by_study ON study_evidence(site_id, study_uid, id);
CREATE TABLE study_completeness (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  study_id BIGINT NOT NULL REFERENCES studies(id),
  number INTEGER NOT NULL,
  verdict TEXT NOT NULL,
  received INTEGER NOT NULL,
  series INTEGER NOT NULL,
  expected_instances INTEGER,
  reasons TEXT NOT NULL,
  at TIMESTAMP NOT NULL,
  UNIQUE (study_id, number)
);
CREATE TABLE image_withdrawals (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  site_id BIGINT NOT NULL REFERENCES sites(id),
  study_uid TEXT NOT NULL,
  cause TEXT NOT NULL,
  note TEXT NOT NULL,
  by_user_id BIGINT REFERENCES users(id),
  rejection_id BIGINT REFERENCES instances(id),
  at TIMESTAMP NOT NULL,
  undone_at TIMESTAMP,
  undone_by BIGINT REFERENCES users(id)
);
CREATE INDEX image_withdrawals_by_study ON image_withdrawals(site_id, study_uid);
CREATE TABLE withdrawn_images (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  withdrawal_id BIGINT NOT NULL REFERENCES image_withdrawals(id),
  site_id BIGINT NOT NULL REFERENCES sites(id),
  sop_instance_uid TEXT NOT NULL,
  instance_id BIGINT REFERENCES instances(id)
);
CREATE INDEX withdrawn_images_by_withdrawal ON withdrawn_images(withdrawal_id);
CREATE INDEX withdrawn_images_by_uid ON withdrawn_images(site_id, sop_instance_uid);

-- what peers say and ask of what they have sent ---------------------------------
CREATE TABLE commitments (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  site_id BIGINT NOT NULL REFERENCES sites(id),
  endpoint_id BIGINT NOT NULL REFERENCES site_endpoints(id),
  transaction_uid TEXT NOT NULL,
  items TEXT NOT NULL,
  state TEXT NOT NULL,
  committed INTEGER NOT NULL,
  failed INTEGER NOT NULL,
  asked_at TIMESTAMP NOT NULL,
  reported_at TIMESTAMP,
  UNIQUE (endpoint_id, transaction_uid)
);
CREATE TABLE performed_steps (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  site_id BIGINT NOT NULL REFERENCES sites(id),
  endpoint_id BIGINT NOT NULL REFERENCES site_endpoints(id),
  sop_instance_uid TEXT NOT NULL,
  status TEXT NOT NULL,
  study_uids TEXT NOT NULL,
  made TEXT NOT NULL,
  created_at TIMESTAMP NOT NULL,
  changed_at TIMESTAMP NOT NULL,
  UNIQUE (site_id, sop_instance_uid)
);

-- requests ------------------------------------------------------------------
CREATE TABLE requests (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  site_id BIGINT NOT NULL REFERENCES sites(id),
  accession_number TEXT NOT NULL,
  study_uid TEXT NOT NULL,
  patient_key TEXT NOT NULL,
  patient_id TEXT NOT NULL,
  name_alphabetic TEXT NOT NULL,
  name_ideographic TEXT NOT NULL,
  name_phonetic TEXT NOT NULL,
  birth_date DATE,
  sex TEXT NOT NULL,
  ordering_doctor TEXT NOT NULL,
  ordering_user_id BIGINT REFERENCES users(id),
  department TEXT NOT NULL,
  phone TEXT NOT NULL,
  exam TEXT NOT NULL,
  question TEXT NOT NULL,
  history TEXT NOT NULL,
  kind TEXT NOT NULL,
  source TEXT NOT NULL,
  priority TEXT NOT NULL,
  wanted_by TIMESTAMP,
  expected_instances INTEGER,
  is_default BOOLEAN NOT NULL,
  state TEXT NOT NULL,
  state_reason TEXT,
  created_by BIGINT REFERENCES users(id),
  created_at TIMESTAMP NOT NULL,
  version INTEGER NOT NULL
);
CREATE INDEX requests_by_accession ON requests(site_id, accession_number);
CREATE INDEX requests_by_patient ON requests(site_id, patient_key);
CREATE INDEX requests_by_state ON requests(state);
CREATE TABLE request_files (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  request_id BIGINT NOT NULL REFERENCES requests(id),
  name TEXT NOT NULL,
  content_type TEXT NOT NULL,
  size BIGINT NOT NULL,
  sha256 TEXT NOT NULL,
  object_key TEXT NOT NULL,
  created_at TIMESTAMP NOT NULL
);

-- cases ---------------------------------------------------------------------
CREATE TABLE cases (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  site_id BIGINT NOT NULL REFERENCES sites(id),
  pool_id BIGINT NOT NULL REFERENCES pools(id),
  patient_id BIGINT NOT NULL REFERENCES patients(id),
  request_id BIGINT NOT NULL REFERENCES requests(id),
  contract_id BIGINT REFERENCES contracts(id),
  state TEXT NOT NULL,
  held_state TEXT,
  hold_reason TEXT,
  hold_actor TEXT,
  hold_until TIMESTAMP,
  held_at TIMESTAMP,
  priority TEXT NOT NULL,
  urgency DOUBLE NOT NULL,
  ai_help BOOLEAN NOT NULL,
  flags TEXT NOT NULL,
  priors INTEGER NOT NULL,
  due_at TIMESTAMP NOT NULL,
  received_at TIMESTAMP NOT NULL,
  ready_at TIMESTAMP,
  reported_at TIMESTAMP,
  returned_at TIMESTAMP,
  acknowledged_at TIMESTAMP,
  withdrawn_at TIMESTAMP,
  merged_into_id BIGINT REFERENCES cases(id),
  created_at TIMESTAMP NOT NULL,
  version INTEGER NOT NULL
);
CREATE INDEX cases_by_state ON cases(state, due_at);
CREATE INDEX cases_by_patient ON cases(patient_id);
CREATE INDEX cases_by_request ON cases(request_id);
CREATE INDEX cases_by_site ON cases(site_id, created_at);
-- What is asked of a reader about work that he has signed: few cases of all that there ever were.
CREATE INDEX cases_to_compare ON cases(id) WHERE flags LIKE '%"compare"%';
CREATE INDEX cases_withdrawal_asked ON cases(id) WHERE flags LIKE '%"withdrawal_asked"%';
CREATE TABLE case_parts (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  case_id BIGINT NOT NULL REFERENCES cases(id),
  region TEXT NOT NULL,
  modality TEXT NOT NULL,
  laterality TEXT NOT NULL,
  minutes DOUBLE NOT NULL,
  confidence DOUBLE NOT NULL,
  source TEXT NOT NULL
);
CREATE INDEX case_parts_by_case ON case_parts(case_id);
CREATE TABLE case_studies (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  case_id BIGINT NOT NULL REFERENCES cases(id),
  study_id BIGINT NOT NULL REFERENCES studies(id),
  role TEXT NOT NULL,
  seen_instances INTEGER NOT NULL,
  UNIQUE (case_id, study_id)
);
CREATE INDEX case_studies_by_study ON case_studies(study_id);
CREATE TABLE site_limits (
  site_id BIGINT PRIMARY KEY REFERENCES sites(id),
  associations INTEGER,
  association_megabytes INTEGER,
  association_objects INTEGER,
  association_minutes INTEGER,
  idle_seconds INTEGER,
  hour_megabytes INTEGER,
  day_megabytes INTEGER
);
CREATE TABLE prior_rules (
  endpoint_id BIGINT PRIMARY KEY REFERENCES site_endpoints(id),
  active BOOLEAN NOT NULL,
  most INTEGER NOT NULL,
  within_days INTEGER NOT NULL,
  same_modality BOOLEAN NOT NULL,
  same_region BOOLEAN NOT NULL,
  way TEXT NOT NULL,
  asked_at TIMESTAMP,
  failure TEXT
);
CREATE TABLE prior_studies (
  site_id BIGINT NOT NULL REFERENCES sites(id),
  study_uid TEXT NOT NULL,
  case_id BIGINT NOT NULL REFERENCES cases(id),
  endpoint_id BIGINT NOT NULL REFERENCES site_endpoints(id),
  state TEXT NOT NULL,
  asked_at TIMESTAMP NOT NULL,
  PRIMARY KEY (site_id, study_uid, case_id)
);
CREATE TABLE case_notes (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  case_id BIGINT NOT NULL REFERENCES cases(id),
  kind TEXT NOT NULL,
  author_id BIGINT REFERENCES users(id),
  contact TEXT NOT NULL,
  body TEXT NOT NULL,
  at TIMESTAMP NOT NULL
);
CREATE INDEX case_notes_by_case ON case_notes(case_id);
CREATE TABLE case_events (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  case_id BIGINT NOT NULL REFERENCES cases(id),
  read_id BIGINT,
  actor_id BIGINT REFERENCES users(id),
  kind TEXT NOT NULL,
  data TEXT NOT NULL,
  at TIMESTAMP NOT NULL
);
CREATE INDEX case_events_by_case ON case_events(case_id);

-- prescreens ----------------------------------------------------------------
CREATE TABLE prescreens (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  case_id BIGINT NOT NULL REFERENCES cases(id),
  number INTEGER NOT NULL,
  urgency DOUBLE NOT NULL,
  contributions TEXT NOT NULL,
  labels TEXT NOT NULL,
  model_version TEXT NOT NULL,
  at TIMESTAMP NOT NULL,
  UNIQUE (case_id, number)
);
CREATE TABLE findings (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  study_id BIGINT NOT NULL REFERENCES studies(id),
  instance_id BIGINT REFERENCES instances(id),
  engine TEXT NOT NULL,
  engine_version TEXT NOT NULL,
  label TEXT NOT NULL,
  confidence DOUBLE NOT NULL,
  class TEXT NOT NULL,
  mark TEXT,
  shown BOOLEAN NOT NULL,
  at TIMESTAMP NOT NULL
);
CREATE INDEX findings_by_study ON findings(study_id);

-- reads ---------------------------------------------------------------------
CREATE TABLE plans (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  pool_id BIGINT NOT NULL REFERENCES pools(id),
  parent_id BIGINT REFERENCES plans(id),
  fencing BIGINT NOT NULL,
  seed BIGINT NOT NULL,
  reads INTEGER NOT NULL,
  readers INTEGER NOT NULL,
  assigned INTEGER NOT NULL,
  waiting INTEGER NOT NULL,
  applied INTEGER NOT NULL,
  stale INTEGER NOT NULL,
  objective DOUBLE NOT NULL,
  bound DOUBLE NOT NULL,
  gap DOUBLE NOT NULL,
  stopped_by TEXT NOT NULL,
  solve_ms INTEGER NOT NULL,
  at TIMESTAMP NOT NULL
);
CREATE INDEX plans_by_pool ON plans(pool_id, id);
CREATE TABLE reads (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  case_id BIGINT NOT NULL REFERENCES cases(id),
  number INTEGER NOT NULL,
  kind TEXT NOT NULL,
  state TEXT NOT NULL,
  frozen BOOLEAN NOT NULL,
  reader_id BIGINT REFERENCES readers(id),
  preferred_reader_id BIGINT REFERENCES readers(id),
  plan_id BIGINT REFERENCES plans(id),
  place_in_list INTEGER NOT NULL,
  explanation TEXT NOT NULL,
  waiting_reason TEXT,
  waiting_until TIMESTAMP,
  expected_minutes DOUBLE NOT NULL,
  created_at TIMESTAMP NOT NULL,
  assigned_at TIMESTAMP,
  seen_at TIMESTAMP,
  started_at TIMESTAMP,
  heartbeat_at TIMESTAMP,
  signed_at TIMESTAMP,
  clock_from TIMESTAMP,
  missed_starts INTEGER NOT NULL,
  missed_by BIGINT REFERENCES readers(id),
  missed_at TIMESTAMP,
  version INTEGER NOT NULL,
  UNIQUE (case_id, number)
);
CREATE INDEX reads_by_state ON reads(state);
CREATE INDEX reads_by_reader ON reads(reader_id, state);
CREATE TABLE declines (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  read_id BIGINT NOT NULL REFERENCES reads(id),
  reader_id BIGINT NOT NULL REFERENCES readers(id),
  reason TEXT NOT NULL,
  at TIMESTAMP NOT NULL
);
CREATE INDEX declines_by_read ON declines(read_id);
CREATE TABLE overrides (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  case_id BIGINT NOT NULL REFERENCES cases(id),
  read_id BIGINT REFERENCES reads(id),
  kind TEXT NOT NULL,
  reader_id BIGINT REFERENCES readers(id),
  value TEXT NOT NULL,
  reason TEXT NOT NULL,
  by_user_id BIGINT NOT NULL REFERENCES users(id),
  at TIMESTAMP NOT NULL,
  revoked_at TIMESTAMP,
  revoked_by BIGINT REFERENCES users(id)
);
CREATE INDEX overrides_by_case ON overrides(case_id);
CREATE TABLE plan_items (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  plan_id BIGINT NOT NULL REFERENCES plans(id),
  read_id BIGINT NOT NULL REFERENCES reads(id),
  reader_id BIGINT REFERENCES readers(id),
  place_in_list INTEGER NOT NULL,
  explanation TEXT NOT NULL,
  outcome TEXT NOT NULL
);
CREATE INDEX plan_items_by_read ON plan_items(read_id);
CREATE TABLE image_views (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  read_id BIGINT NOT NULL REFERENCES reads(id),
  instance_id BIGINT NOT NULL REFERENCES instances(id),
  at TIMESTAMP NOT NULL,
  UNIQUE (read_id, instance_id)
);

-- reports -------------------------------------------------------------------
CREATE TABLE reports (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  case_id BIGINT NOT NULL REFERENCES cases(id),
  read_id BIGINT NOT NULL UNIQUE REFERENCES reads(id),
  reader_id BIGINT NOT NULL REFERENCES readers(id),
  created_at TIMESTAMP NOT NULL
);
CREATE INDEX reports_by_case ON reports(case_id);
CREATE TABLE report_versions (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  report_id BIGINT NOT NULL REFERENCES reports(id),
  number INTEGER NOT NULL,
  state TEXT NOT NULL,
  revision INTEGER NOT NULL,
  findings TEXT NOT NULL,
  impression TEXT NOT NULL,
  reason TEXT NOT NULL,
  saved_at TIMESTAMP NOT NULL,
  saved_by BIGINT NOT NULL REFERENCES users(id),
  signed_at TIMESTAMP,
  signed_by BIGINT REFERENCES users(id),
  UNIQUE (report_id, number)
);
CREATE TABLE withdrawals (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  report_version_id BIGINT NOT NULL UNIQUE REFERENCES report_versions(id),
  reason TEXT NOT NULL,
  by_user_id BIGINT NOT NULL REFERENCES users(id),
  at TIMESTAMP NOT NULL
);
CREATE TABLE artefacts (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  report_version_id BIGINT NOT NULL REFERENCES report_versions(id),
  kind TEXT NOT NULL,
  object_key TEXT NOT NULL,
  sha256 TEXT NOT NULL,
  size BIGINT NOT NULL,
  created_at TIMESTAMP NOT NULL,
  UNIQUE (report_version_id, kind)
);
CREATE TABLE deliveries (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  case_id BIGINT NOT NULL REFERENCES cases(id),
  report_version_id BIGINT NOT NULL REFERENCES report_versions(id),
  content TEXT NOT NULL,
  kind TEXT NOT NULL,
  endpoint_id BIGINT REFERENCES site_endpoints(id),
  destination TEXT NOT NULL,
  required BOOLEAN NOT NULL,
  state TEXT NOT NULL,
  attempts INTEGER NOT NULL,
  next_at TIMESTAMP NOT NULL,
  last_error TEXT,
  created_at TIMESTAMP NOT NULL,
  delivered_at TIMESTAMP,
  given_up_by BIGINT REFERENCES users(id),
  given_up_reason TEXT,
  version INTEGER NOT NULL
);
CREATE INDEX deliveries_by_state ON deliveries(state, next_at);
CREATE INDEX deliveries_by_case ON deliveries(case_id);
CREATE INDEX deliveries_by_endpoint ON deliveries(endpoint_id, created_at);
CREATE TABLE recipients (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  case_id BIGINT NOT NULL REFERENCES cases(id),
  report_version_id BIGINT NOT NULL REFERENCES report_versions(id),
  user_id BIGINT NOT NULL REFERENCES users(id),
  notified_at TIMESTAMP NOT NULL,
  opened_at TIMESTAMP,
  accepted_at TIMESTAMP,
  acted_at TIMESTAMP,
  acted_note TEXT NOT NULL,
  UNIQUE (report_version_id, user_id)
);
CREATE INDEX recipients_by_case ON recipients(case_id);

-- billing -------------------------------------------------------------------
CREATE TABLE billable_events (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  site_id BIGINT NOT NULL REFERENCES sites(id),
  contract_id BIGINT REFERENCES contracts(id),
  case_id BIGINT NOT NULL REFERENCES cases(id),
  read_id BIGINT NOT NULL REFERENCES reads(id),
  report_version_id BIGINT NOT NULL REFERENCES report_versions(id),
  reader_id BIGINT NOT NULL REFERENCES readers(id),
  kind TEXT NOT NULL,
  region TEXT NOT NULL,
  modality TEXT NOT NULL,
  laterality TEXT NOT NULL,
  priority TEXT NOT NULL,
  tariff_line_id BIGINT REFERENCES tariff_lines(id),
  quantity INTEGER NOT NULL,
  amount_yen BIGINT NOT NULL,
  counts_on DATE NOT NULL,
  month TEXT NOT NULL,
  reading_site_id BIGINT REFERENCES sites(id),
  reading_site_filing TEXT NOT NULL,
  reader_filed BOOLEAN NOT NULL,
  place TEXT NOT NULL,
  addon TEXT NOT NULL,
  addon_tier TEXT NOT NULL,
  addon_group TEXT NOT NULL,
  addon_points INTEGER NOT NULL,
  addon_sentence_ja TEXT NOT NULL,
  addon_sentence_en TEXT NOT NULL,
  corrects_id BIGINT REFERENCES billable_events(id),
  at TIMESTAMP NOT NULL
);
CREATE INDEX billable_events_by_month ON billable_events(month, site_id);
CREATE INDEX billable_events_by_case ON billable_events(case_id);

-- work ----------------------------------------------------------------------
CREATE TABLE jobs (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  kind TEXT NOT NULL,
  key TEXT NOT NULL,
  payload TEXT NOT NULL,
  state TEXT NOT NULL,
  run_at TIMESTAMP NOT NULL,
  attempts INTEGER NOT NULL,
  max_attempts INTEGER NOT NULL,
  again BOOLEAN NOT NULL,
  leased_by TEXT,
  leased_until TIMESTAMP,
  last_error TEXT,
  created_at TIMESTAMP NOT NULL,
  finished_at TIMESTAMP
);
CREATE UNIQUE INDEX jobs_open_once ON jobs(kind, key) WHERE state IN ('queued', 'leased');
CREATE INDEX jobs_due ON jobs(state, run_at);
CREATE TABLE leases (
  name TEXT PRIMARY KEY NOT NULL,
  holder TEXT NOT NULL,
  fencing BIGINT NOT NULL,
  until TIMESTAMP NOT NULL
);

-- audit ---------------------------------------------------------------------
CREATE TABLE audit (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  at TIMESTAMP NOT NULL,
  actor_id BIGINT REFERENCES users(id),
  actor TEXT NOT NULL,
  action TEXT NOT NULL,
  subject_kind TEXT NOT NULL,
  subject_id BIGINT,
  site_id BIGINT,
  outcome TEXT NOT NULL,
  detail TEXT NOT NULL,
  address TEXT NOT NULL,
  own_hash TEXT NOT NULL
);
CREATE INDEX audit_by_subject ON audit(subject_kind, subject_id);
CREATE TABLE audit_seals (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  sealed_at TIMESTAMP NOT NULL,
  rows_sealed INTEGER NOT NULL,
  previous_hash TEXT NOT NULL,
  hash TEXT NOT NULL
);
CREATE TABLE audit_sealed (
  audit_id BIGINT PRIMARY KEY NOT NULL,
  seal_id BIGINT NOT NULL REFERENCES audit_seals(id)
);
CREATE INDEX audit_sealed_by_seal ON audit_sealed(seal_id);

CREATE TABLE spool_nodes (
  node TEXT PRIMARY KEY NOT NULL,
  url TEXT NOT NULL,
  waiting BIGINT NOT NULL,
  waiting_bytes BIGINT NOT NULL,
  limit_bytes BIGINT NOT NULL,
  oldest_at TIMESTAMP,
  failing_since TIMESTAMP,
  fault TEXT NOT NULL,
  lost BIGINT NOT NULL,
  seen_at TIMESTAMP NOT NULL
);
CREATE TABLE spooled_objects (
  object_key TEXT NOT NULL,
  node TEXT NOT NULL REFERENCES spool_nodes(node),
  size BIGINT NOT NULL,
  spooled_at TIMESTAMP NOT NULL,
  PRIMARY KEY (object_key, node)
);
CREATE INDEX spooled_objects_by_node ON spooled_objects(node);

-- what never changes --------------------------------------------------------
CREATE TRIGGER billable_events_never_update BEFORE UPDATE ON billable_events BEGIN SELECT RAISE(ABORT, 'billable_events rows never change'); END;
CREATE TRIGGER billable_events_never_delete BEFORE DELETE ON billable_events BEGIN SELECT RAISE(ABORT, 'billable_events rows never change'); END;
CREATE TRIGGER audit_never_update BEFORE UPDATE ON audit BEGIN SELECT RAISE(ABORT, 'audit rows never change'); END;
CREATE TRIGGER audit_never_delete BEFORE DELETE ON audit BEGIN SELECT RAISE(ABORT, 'audit rows never change'); END;
CREATE TRIGGER audit_seals_never_update BEFORE UPDATE ON audit_seals BEGIN SELECT RAISE(ABORT, 'audit_seals rows never change'); END;
CREATE TRIGGER audit_seals_never_delete BEFORE DELETE ON audit_seals BEGIN SELECT RAISE(ABORT, 'audit_seals rows never change'); END;
CREATE TRIGGER audit_sealed_never_update BEFORE UPDATE ON audit_sealed BEGIN SELECT RAISE(ABORT, 'audit_sealed rows never change'); END;
CREATE TRIGGER audit_sealed_never_delete BEFORE DELETE ON audit_sealed BEGIN SELECT RAISE(ABORT, 'audit_sealed rows never change'); END;
CREATE TRIGGER case_events_never_update BEFORE UPDATE ON case_events BEGIN SELECT RAISE(ABORT, 'case_events rows never change'); END;
CREATE TRIGGER case_events_never_delete BEFORE DELETE ON case_events BEGIN SELECT RAISE(ABORT, 'case_events rows never change'); END;
CREATE TRIGGER study_evidence_never_update BEFORE UPDATE ON study_evidence BEGIN SELECT RAISE(ABORT, 'study_evidence rows never change'); END;
CREATE TRIGGER study_evidence_never_delete BEFORE DELETE ON study_evidence BEGIN SELECT RAISE(ABORT, 'study_evidence rows never change'); END;
CREATE TRIGGER study_completeness_never_update BEFORE UPDATE ON study_completeness BEGIN SELECT RAISE(ABORT, 'study_completeness rows never change'); END;
CREATE TRIGGER study_completeness_never_delete BEFORE DELETE ON study_completeness BEGIN SELECT RAISE(ABORT, 'study_completeness rows never change'); END;
CREATE TRIGGER artefacts_never_update BEFORE UPDATE ON artefacts BEGIN SELECT RAISE(ABORT, 'artefacts rows never change'); END;
CREATE TRIGGER artefacts_never_delete BEFORE DELETE ON artefacts BEGIN SELECT RAISE(ABORT, 'artefacts rows never change'); END;
CREATE TRIGGER withdrawals_never_update BEFORE UPDATE ON withdrawals BEGIN SELECT RAISE(ABORT, 'withdrawals rows never change'); END;
CREATE TRIGGER withdrawals_never_delete BEFORE DELETE ON withdrawals BEGIN SELECT RAISE(ABORT, 'withdrawals rows never change'); END;
CREATE TRIGGER report_versions_signed_never_update BEFORE UPDATE ON report_versions WHEN OLD.state <> 'draft' BEGIN SELECT RAISE(ABORT, 'signed report versions never change'); END;
CREATE TRIGGER report_versions_signed_never_delete BEFORE DELETE ON report_versions WHEN OLD.state <> 'draft' BEGIN SELECT RAISE(ABORT, 'signed report versions never change'); END;

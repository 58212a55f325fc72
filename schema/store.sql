-- SPDX-License-Identifier: MIT
-- What muster keeps, in one SQLite file. Executed as it stands to make a new one, and to bring an older one up to
-- date (controller/store/db_open.c): a change here raises user_version and only adds tables and indexes. The views at
-- the end are stable for people who come with sqlite3 or Grafana (docs/store.md); tables are muster's own and may
-- change with user_version.
--
-- Text that came from a host is kept in its escaped form (schema/escape.h), which can be undone exactly; other host
-- bytes are BLOBs. Times are seconds since 1970 unless a name says otherwise. Numbers written "varint" are LEB128,
-- signed ones zigzag first. A blob said to be "packed" begins with 0 and is plain after it, or with 1, its size as a
-- varint, and one zstd frame.

PRAGMA application_id = 1836413810; -- 0x6d757372, "musr"
PRAGMA user_version = 8;

-- One row a run. `kept` is 0 once pruned: the row stays, because intervals name it.
CREATE TABLE IF NOT EXISTS run (
	id INTEGER PRIMARY KEY AUTOINCREMENT,
	name TEXT NOT NULL UNIQUE,
	kind TEXT NOT NULL,     -- check, sweep
	sweep TEXT NOT NULL,    -- configured name, or ''
	baseline TEXT NOT NULL, -- commit, or ''
	version TEXT NOT NULL,  -- muster's
	started INTEGER NOT NULL,
	finished INTEGER NOT NULL DEFAULT 0, -- 0: still running, or killed
	asked INTEGER NOT NULL,
	kept INTEGER NOT NULL DEFAULT 1
);

-- Runs whose baseline was to be fetched, and was not.
CREATE TABLE IF NOT EXISTS run_stale (
	run INTEGER PRIMARY KEY REFERENCES run,
	made INTEGER NOT NULL, -- when its commit was made; 0: not known
	why TEXT NOT NULL
);

-- 32 random bytes from which the order of slices is derived: who reads the file knows what is hashed when.
CREATE TABLE IF NOT EXISTS secret (
	id INTEGER PRIMARY KEY CHECK (id = 1),
	value BLOB NOT NULL
);

-- Words that come again and again: outcomes and reasons.
CREATE TABLE IF NOT EXISTS text (
	id INTEGER PRIMARY KEY,
	value TEXT NOT NULL UNIQUE
);

-- A host of the inventory. The numbers are ids of host_run, NULL where there is none.
CREATE TABLE IF NOT EXISTS host (
	id INTEGER PRIMARY KEY,
	name TEXT NOT NULL UNIQUE,
	os TEXT NOT NULL DEFAULT '', -- PRETTY_NAME of os-release, escaped
	latest INTEGER,   -- newest row, looked at or not
	observed INTEGER, -- newest with an observation
	complete INTEGER, -- newest that was looked at whole
	first INTEGER,    -- first that was looked at whole: the first sight
	packages INTEGER  -- package_list of the newest observation
);
CREATE INDEX IF NOT EXISTS host_packages ON host (packages);

-- The first sight of a host whose first look was in part: each section as it was first read whole. It is added to where
-- the look in `row` had left something out, and never changed; from the first complete look on that is `row`.
CREATE TABLE IF NOT EXISTS host_sight (
	host INTEGER PRIMARY KEY REFERENCES host,
	row INTEGER NOT NULL REFERENCES host_run,
	snapshot INTEGER NOT NULL REFERENCES snapshot
);

-- A package build that some section key names. All escaped.
CREATE TABLE IF NOT EXISTS package (
	id INTEGER PRIMARY KEY,
	manager TEXT NOT NULL,
	name TEXT NOT NULL,
	version TEXT NOT NULL,
	arch TEXT NOT NULL,
	UNIQUE (name, version, arch, manager)
);

-- A section's key (schema/section.h). Unique by `encoded`: the one writer sees to it.
CREATE TABLE IF NOT EXISTS key (
	id INTEGER PRIMARY KEY,
	encoded BLOB NOT NULL,
	kind TEXT NOT NULL,
	package INTEGER REFERENCES package, -- where the key names one
	subject TEXT                        -- else its second part, escaped: a directory, a manager
);

-- A section's canonical encoding, once for the whole fleet. Apart from its content so that reading all digests is
-- cheap. Unique by `digest`: the one writer sees to it. Ids grow and are never used twice.
CREATE TABLE IF NOT EXISTS object (
	id INTEGER PRIMARY KEY AUTOINCREMENT,
	digest BLOB NOT NULL, -- SHA-256
	size INTEGER NOT NULL
);
CREATE TABLE IF NOT EXISTS content (
	object INTEGER PRIMARY KEY REFERENCES object,
	data BLOB NOT NULL -- packed
);

-- What became of a vendor's signature over an rpm header. It follows from the section's bytes and the listed keys alone,
-- so that it holds until the keys change.
CREATE TABLE IF NOT EXISTS proof (
	section BLOB PRIMARY KEY, -- digest of a [header, rpm, ...] section's content
	keys BLOB NOT NULL,       -- digest of the keys and of what they may prove
	verdict TEXT NOT NULL,    -- good, unsigned, unknown key ...
	fingerprint TEXT NOT NULL,
	reason TEXT NOT NULL
) WITHOUT ROWID;

-- Sets of package builds that hosts have. A list with `base` NULL has all its members in package_in; another one is
-- its base, with members of `present` 1 added and 0 taken away.
CREATE TABLE IF NOT EXISTS package_list (
	id INTEGER PRIMARY KEY,
	digest BLOB NOT NULL UNIQUE, -- of the sorted package ids
	base INTEGER REFERENCES package_list,
	size INTEGER NOT NULL
);
CREATE INDEX IF NOT EXISTS package_list_base ON package_list (base);
CREATE TABLE IF NOT EXISTS package_in (
	list INTEGER NOT NULL REFERENCES package_list,
	package INTEGER NOT NULL REFERENCES package,
	present INTEGER NOT NULL,
	PRIMARY KEY (list, package)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS package_in_package ON package_in (package, list, present);

-- A host's sections: pairs (key id, object id) in order of the encoded keys. `data`, packed, turns the pairs of the
-- base (none where it is NULL; a base has no base itself) into these: groups of four varints and pairs: how many
-- pairs of the base to copy, to leave out, and to insert, then the inserted ones, each id as the signed difference
-- from the inserted one before.
CREATE TABLE IF NOT EXISTS snapshot (
	id INTEGER PRIMARY KEY,
	digest BLOB NOT NULL UNIQUE, -- first half of SHA-256 over the pairs
	base INTEGER REFERENCES snapshot,
	packages INTEGER NOT NULL REFERENCES package_list,
	sections INTEGER NOT NULL,
	data BLOB NOT NULL
);

-- What a session said, where it is usually equal to the last one's.
CREATE TABLE IF NOT EXISTS coverage (
	id INTEGER PRIMARY KEY,
	digest BLOB NOT NULL UNIQUE,
	data BLOB NOT NULL -- packed: check, subject, state, reason and count of each item
);
CREATE TABLE IF NOT EXISTS facts (
	id INTEGER PRIMARY KEY,
	digest BLOB NOT NULL UNIQUE,
	data BLOB NOT NULL, -- the hello message without its clock
	arch TEXT NOT NULL,
	kernel TEXT NOT NULL,
	machine_id TEXT NOT NULL,
	uid INTEGER NOT NULL,
	boot INTEGER NOT NULL
);
CREATE TABLE IF NOT EXISTS tally (
	id INTEGER PRIMARY KEY,
	digest BLOB NOT NULL UNIQUE,
	packages INTEGER NOT NULL,
	by_witness TEXT NOT NULL, -- name=packages/files, blanks between
	proved INTEGER NOT NULL,
	unproved INTEGER NOT NULL,
	skipped INTEGER NOT NULL,
	critical INTEGER NOT NULL, -- open findings by severity
	high INTEGER NOT NULL,
	medium INTEGER NOT NULL,
	low INTEGER NOT NULL,
	info INTEGER NOT NULL,
	acknowledged INTEGER NOT NULL,
	explained INTEGER NOT NULL
);

-- One row a host and run, the only thing that an unchanged host costs. Its id is (run << 24) + n.
CREATE TABLE IF NOT EXISTS host_run (
	id INTEGER PRIMARY KEY,
	run INTEGER GENERATED ALWAYS AS (id >> 24) VIRTUAL,
	host INTEGER NOT NULL REFERENCES host,
	outcome INTEGER NOT NULL REFERENCES text,
	reason INTEGER REFERENCES text,
	snapshot INTEGER REFERENCES snapshot, -- NULL: not looked at
	coverage INTEGER REFERENCES coverage,
	facts INTEGER REFERENCES facts,
	tally INTEGER NOT NULL REFERENCES tally,
	started INTEGER NOT NULL, -- seconds after the run's start
	took INTEGER NOT NULL,    -- seconds
	content_age INTEGER,      -- of the section read longest ago, in seconds before the end
	sent INTEGER NOT NULL,    -- bytes
	received INTEGER NOT NULL,
	session BLOB -- varints: what else the session counted, then coverage counts that differ
);

-- Who spoke SSH with a host ("libssh2", "ssh (ProxyCommand)"), from this row on; not where that was the same before.
CREATE TABLE IF NOT EXISTS host_transport (
	host INTEGER NOT NULL REFERENCES host,
	row INTEGER NOT NULL, -- of host_run, which may be pruned
	transport INTEGER NOT NULL REFERENCES text,
	PRIMARY KEY (host, row)
) WITHOUT ROWID;

-- Evidence of a broken protocol: raw, capped.
CREATE TABLE IF NOT EXISTS excerpt (
	host_run INTEGER PRIMARY KEY REFERENCES host_run,
	data BLOB NOT NULL
);

-- Host-local stat digests of the latest observation: 8 bytes a section, least significant first, in its order, then a
-- bit a section: whether it was in the always-set. Apart from the times of reading, which move every night.
CREATE TABLE IF NOT EXISTS host_stat (
	host INTEGER PRIMARY KEY REFERENCES host,
	snapshot INTEGER NOT NULL REFERENCES snapshot,
	hash INTEGER NOT NULL, -- of data
	data BLOB NOT NULL
);
-- Of the same: what an unchanged host would answer, in a row that is quickly read.
CREATE TABLE IF NOT EXISTS host_outline (
	host INTEGER PRIMARY KEY REFERENCES host,
	snapshot INTEGER NOT NULL REFERENCES snapshot,
	stat_root BLOB NOT NULL, -- digest over keys and stat digests; empty: one is missing
	always BLOB NOT NULL     -- the bits of host_stat
);
CREATE TABLE IF NOT EXISTS host_reading (
	host INTEGER PRIMARY KEY REFERENCES host,
	data BLOB NOT NULL -- varints: number of distinct times and they; a byte a section, which; (index, unread)*
);

-- By which witness each package of a host was judged: for each section of a package, in order of the snapshot, two
-- varints: how many sections after the one before, then files read << 4 | told against << 3 | witness. Packed.
CREATE TABLE IF NOT EXISTS witness_list (
	id INTEGER PRIMARY KEY,
	digest BLOB NOT NULL UNIQUE,
	data BLOB NOT NULL
);

-- Of each host's last complete look.
CREATE TABLE IF NOT EXISTS host_witness (
	host INTEGER PRIMARY KEY REFERENCES host,
	release TEXT NOT NULL, -- ID and VERSION_ID of os-release, escaped: whom it is compared with
	witness INTEGER NOT NULL REFERENCES witness_list,
	fleet TEXT NOT NULL DEFAULT '' -- as tally.by_witness: those that the fleet vouches for besides
);

-- What the latest observation of a host was judged by: where all of that is the same again, so is what came of it, and
-- the findings that hold are those. Losing a row costs judging the host.
CREATE TABLE IF NOT EXISTS host_verdict (
	host INTEGER PRIMARY KEY REFERENCES host,
	basis BLOB NOT NULL,    -- SHA-256 over everything that was judged by (controller/judge/basis.h)
	findings BLOB NOT NULL, -- SHA-256 over what was found
	witness INTEGER REFERENCES witness_list
);

-- The last run at whose end hosts were compared with each other.
CREATE TABLE IF NOT EXISTS fleet (
	id INTEGER PRIMARY KEY CHECK (id = 1),
	run INTEGER NOT NULL
);

-- What differs. The fingerprint is what people see; old value, witness and so on may differ between hosts.
CREATE TABLE IF NOT EXISTS finding (
	id INTEGER PRIMARY KEY,
	digest BLOB NOT NULL UNIQUE, -- of all that follows
	fingerprint TEXT NOT NULL,
	rule TEXT NOT NULL,
	severity INTEGER NOT NULL, -- 0 info to 4 critical
	witness TEXT NOT NULL,
	letters TEXT NOT NULL,
	marker TEXT NOT NULL,
	subject TEXT NOT NULL, -- escaped
	package TEXT NOT NULL, -- escaped
	old NOT NULL, -- text where it is plain, else a BLOB
	new NOT NULL,
	detail NOT NULL
);
CREATE INDEX IF NOT EXISTS finding_fingerprint ON finding (fingerprint);

-- While a host has a finding in one state. Holds for runs from from_run up to, not including, until_run.
CREATE TABLE IF NOT EXISTS interval (
	id INTEGER PRIMARY KEY,
	host INTEGER NOT NULL REFERENCES host,
	finding INTEGER NOT NULL REFERENCES finding,
	state TEXT NOT NULL, -- open, acknowledged, explained
	ack TEXT NOT NULL DEFAULT '',
	first_run INTEGER NOT NULL REFERENCES run, -- seen first, whatever its state
	from_run INTEGER NOT NULL REFERENCES run,
	until_run INTEGER REFERENCES run, -- NULL: holds now
	last_run INTEGER REFERENCES run,  -- seen last, where it holds no more
	resolved INTEGER NOT NULL DEFAULT 0 -- 1: ended because it was gone; 0: its state changed
);
CREATE INDEX IF NOT EXISTS interval_current ON interval (host) WHERE until_run IS NULL;
CREATE INDEX IF NOT EXISTS interval_resolved ON interval (until_run, host) WHERE resolved = 1;
CREATE INDEX IF NOT EXISTS interval_finding ON interval (finding);

-- Objects changed lately, as each session reported them: append only.
CREATE TABLE IF NOT EXISTS timeline (
	id INTEGER PRIMARY KEY,
	host INTEGER NOT NULL REFERENCES host,
	run INTEGER NOT NULL REFERENCES run,
	from_ns INTEGER NOT NULL, -- smallest and largest ctime in it
	until_ns INTEGER NOT NULL,
	items INTEGER NOT NULL,
	data BLOB NOT NULL -- packed: items as in the timeline message
);
CREATE INDEX IF NOT EXISTS timeline_host ON timeline (host, from_ns);

DROP VIEW IF EXISTS v_runs;
CREATE VIEW v_runs AS
SELECT
	r.name AS run,
	r.kind, r.sweep, r.baseline, r.version,
	CASE WHEN r.finished > 0 THEN 'finished' ELSE 'unfinished' END AS state,
	strftime('%Y-%m-%dT%H:%M:%SZ', r.started, 'unixepoch') AS started,
	CASE WHEN r.finished > 0 THEN strftime('%Y-%m-%dT%H:%M:%SZ', r.finished, 'unixepoch') END AS finished,
	r.started AS started_s,
	NULLIF(r.finished, 0) AS finished_s,
	r.asked AS hosts_asked,
	count(h.id) AS hosts_done,
	count(CASE WHEN o.value = 'clean' THEN 1 END) AS clean,
	count(CASE WHEN o.value = 'findings' THEN 1 END) AS with_findings,
	count(CASE WHEN o.value = 'partial' THEN 1 END) AS partial,
	count(CASE WHEN o.value NOT IN ('clean', 'findings', 'partial') THEN 1 END) AS not_looked_at,
	total(h.sent) AS sent_bytes,
	total(h.received) AS received_bytes,
	s.why AS stale_baseline,
	strftime('%Y-%m-%dT%H:%M:%SZ', NULLIF(s.made, 0), 'unixepoch') AS baseline_made,
	NULLIF(s.made, 0) AS baseline_made_s
FROM run r
LEFT JOIN run_stale s ON s.run = r.id
LEFT JOIN host_run h ON h.id > (r.id << 24) AND h.id < ((r.id + 1) << 24)
LEFT JOIN text o ON o.id = h.outcome
WHERE r.kept = 1
GROUP BY r.id;

DROP VIEW IF EXISTS v_hosts;
CREATE VIEW v_hosts AS
SELECT
	h.name AS host,
	h.os, f.arch, f.kernel,
	r.name AS run,
	o.value AS outcome,
	coalesce(w.value, '') AS reason,
	strftime('%Y-%m-%dT%H:%M:%SZ', r.started + l.started + l.took, 'unixepoch') AS finished,
	r.started + l.started + l.took AS finished_s,
	strftime('%Y-%m-%dT%H:%M:%SZ', cr.started + c.started + c.took, 'unixepoch') AS last_complete,
	cr.started + c.started + c.took AS last_complete_s,
	strftime('%Y-%m-%dT%H:%M:%SZ', sr.started + s.started + s.took - s.content_age, 'unixepoch')
		AS oldest_content,
	sr.started + s.started + s.took - s.content_age AS oldest_content_s,
	t.packages,
	t.proved AS files_proved, t.unproved AS files_unproved, t.skipped AS files_skipped,
	t.critical, t.high, t.medium, t.low, t.info, t.acknowledged, t.explained,
	l.sent AS sent_bytes, l.received AS received_bytes,
	coalesce(hw.release, '') AS release, t.by_witness, coalesce(hw.fleet, '') AS by_fleet,
	coalesce((SELECT x.value FROM host_transport ht JOIN text x ON x.id = ht.transport WHERE ht.host = h.id
		ORDER BY ht.row DESC LIMIT 1), '') AS transport
FROM host h
JOIN host_run l ON l.id = h.latest
JOIN run r ON r.id = (l.id >> 24)
JOIN text o ON o.id = l.outcome
JOIN tally t ON t.id = l.tally
LEFT JOIN text w ON w.id = l.reason
LEFT JOIN host_run s ON s.id = h.observed
LEFT JOIN run sr ON sr.id = (s.id >> 24)
LEFT JOIN facts f ON f.id = s.facts
LEFT JOIN host_run c ON c.id = h.complete
LEFT JOIN run cr ON cr.id = (c.id >> 24)
LEFT JOIN host_witness hw ON hw.host = h.id;

DROP VIEW IF EXISTS v_findings;
CREATE VIEW v_findings AS
SELECT
	f.fingerprint AS finding,
	h.name AS host,
	CASE WHEN i.state = 'open' AND i.first_run = (h.latest >> 24) THEN 'new' ELSE i.state END AS state,
	CASE f.severity WHEN 4 THEN 'critical' WHEN 3 THEN 'high' WHEN 2 THEN 'medium' WHEN 1 THEN 'low'
		ELSE 'info' END AS severity,
	f.severity AS severity_n,
	f.rule, f.letters, f.marker, f.subject, f.package, f.old, f.new, f.witness, f.detail, i.ack,
	r.name AS first_run,
	strftime('%Y-%m-%dT%H:%M:%SZ', r.started, 'unixepoch') AS first_seen,
	r.started AS first_seen_s,
	l.name AS last_run
FROM interval i
JOIN finding f ON f.id = i.finding
JOIN host h ON h.id = i.host
JOIN run r ON r.id = i.first_run
LEFT JOIN run l ON l.id = (coalesce(h.observed, h.latest) >> 24)
WHERE i.until_run IS NULL;

DROP VIEW IF EXISTS v_packages;
CREATE VIEW v_packages AS
SELECT h.name AS host, p.manager, p.name, p.version, p.arch
FROM package p
JOIN package_in m ON m.package = p.id AND m.present = 1
JOIN host h ON h.packages = m.list
UNION ALL
SELECT h.name, p.manager, p.name, p.version, p.arch
FROM package p
JOIN package_in m ON m.package = p.id
JOIN package_list l ON l.base = m.list
JOIN host h ON h.packages = l.id
WHERE NOT EXISTS (SELECT 1 FROM package_in x WHERE x.list = l.id AND x.package = p.id);

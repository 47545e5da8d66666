import { sql, type Kysely } from 'kysely'

/** The transparency log: leaves in the order of their commits, the tree over them and its signed heads (docs/log.md). */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of statements) await sql.raw(statement).execute(db)
}

const refuseChange = (table: string) => [
  `create trigger ${table}_unchanged before update or delete on ${table} for each row execute function refuse_change()`,
  `create trigger ${table}_kept before truncate on ${table} execute function refuse_change()`,
]

const statements = [
  // A transaction has its number before any leaf of it has an id. So whoever sees a leaf knows that the transactions of all
  // leaves with smaller ids have numbers below any that is given from then on: once those have ended, no smaller id is still
  // to come. An identity column would take the id first. CASE keeps the order of its parts; the function is not folded.
  `lock table audit_leaves in access exclusive mode`,
  `create sequence audit_leaves_order as bigint owned by audit_leaves.id`,
  `select setval('audit_leaves_order', last_value, is_called) from audit_leaves_id_seq`,
  `alter table audit_leaves alter column id drop identity`,
  `alter table audit_leaves alter column id
    set default case when pg_current_xact_id() is not null then nextval('audit_leaves_order') end`,

  // hash: of the leaf, RFC 6962 section 2.1.
  `create table log_entries (
    org_id uuid not null,
    index bigint not null,
    leaf_id bigint not null,
    hash bytea not null,
    primary key (org_id, index),
    unique (org_id, leaf_id)
  )`,
  `create index log_entries_hash on log_entries (org_id, hash)`,

  // Hashes of the complete subtrees of 256, 256 ** 2, … leaves: levels 1, 2, … of C2SP tlog-tiles. Level 0 is log_entries.
  `create table log_nodes (
    org_id uuid not null,
    level smallint not null,
    index bigint not null,
    hash bytea not null,
    primary key (org_id, level, index)
  )`,

  // One row an organization, held by whoever seals. frontier: the complete subtrees that the tree is made of, 32 bytes each.
  // Leaves up to settled_leaf_id are sealed and none comes after them. mark: a leaf that was seen, and a number that is larger
  // than those of all transactions that may still write leaves with smaller ids.
  `create table log_heads (
    org_id uuid primary key references organizations,
    origin text not null,
    size bigint not null default 0,
    frontier bytea not null default '',
    settled_leaf_id bigint not null default 0,
    mark_leaf_id bigint,
    mark_xid xid8
  ) with (fillfactor = 50)`,

  `create table log_checkpoints (
    org_id uuid not null,
    size bigint not null,
    root bytea not null,
    note text not null,
    created_at timestamptz not null,
    primary key (org_id, size)
  )`,
  // Signature lines of witnesses under a checkpoint.
  `create table log_cosignatures (
    org_id uuid not null,
    size bigint not null,
    name text not null,
    line text not null,
    created_at timestamptz not null,
    primary key (org_id, size, name),
    foreign key (org_id, size) references log_checkpoints
  )`,
  ...['log_entries', 'log_nodes', 'log_checkpoints', 'log_cosignatures'].flatMap(refuseChange),
]

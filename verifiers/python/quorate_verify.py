#!/usr/bin/env python3
"""Checks a Quorate receipt from its bytes and trusted keys alone: no store, no network, no code of `quorate verify`.
Written from docs/receipt.md, whose words it uses. Needs Python 3.11 or later and the package `cryptography`."""
import argparse, base64, collections, contextlib, datetime, hashlib, json, pathlib, re, sys
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ed25519, padding, rsa

MAX_FILE_BYTES, MAX_RULE_BYTES, MAX_INTEGER, MAX_DEPTH = 134_217_728, 65_536, 2**53 - 1, 64
ENVELOPE = re.compile(rb'\{"payload":"([A-Za-z0-9+/]*={0,2})","payloadType":"application/vnd\.in-toto\+json",'
                      rb'"signatures":\[\{"keyid":"([^"\\]+)","sig":"([A-Za-z0-9+/]+={0,2})"\}\]\}\n')
VERSION = ('https://in-toto.io/Statement/v1', 'urn:quorate:receipt:v1')
NAME = r'[^\s+\0-\x1f]+'  # of a key
ASSURANCES = {'human': {'stepUp', 'password', 'securityKey'}, 'agent': {'signature'}}
NAMED = {'principals': {'user.created': 'displayName', 'agent.registered': 'name'}, 'groups': {'group.created': 'name'}}
NO_FACTS = set('id kind principal actor at createdAt content reason signature publicKey leaf'.split())
# The objects of the page. A member is of the type that it names, of that which USUAL has for its name, or a text.
USUAL = """seq:int stage:int toStage:int index:int atLeast:int at:time createdAt:time expiresAt:time id:id principal:id
  requester:id person:id/null digest:digest policyDigest:digest from:status to:status leaf:Leaf seats:ids held:ids"""
FORMS = """
Statement _type predicateType subject:[object] predicate:Predicate ; Log origin checkpoint ; Salted salt text
Predicate organization:id request:Request policy:Policy votes:[Vote] changes:[Change] decision:object names:Names +
  log:Log ; Names principals:[Name] groups:[Name] ; Name id name salt leaf ; Leaf index content path:[hash]
Request id dialect policy:id requester person createdAt expiresAt digest content:text/null leaf
Content dialect name description:text/null metadata:{text} policyId:id policyDigest requesterId:id revision:int
Policy id digest stages:[Stage] options:Options name?:Salted leaf ; Stage binding:bool rule:Rule ; Actor.system kind
Options veto:'withdrawable'|'final'|'ignored' requesterMayVote:bool distinctPeople:bool naturalPersons:bool +
  recheckEligibility:bool vetoNeedsAssurance:bool ; Rule.threshold kind atLeast of:[Rule] ; Actor.admin-key kind
Rule.seats kind atLeast from:Seat assurance?:words ; Seat kind:'group'|'principal' id ; Actor.human kind id apiKey?:id
Vote seq at principal kind:'human'|'agent' person stance:'approve'|'veto'|'withdraw' stage seats held? from to +
  toStage? assurance:proofs digest lapsed?:{ids} signature? publicKey? reason?:Salted leaf
Change kind:'request.stage-closed'|'request.canceled'|'request.expired' at actor:Actor seq stage from to toStage? leaf
Entry v:int org:id kind subject:id actor:Actor at nonce:nonce facts:object committed?:{digest} +
  ; Actor.agent kind id apiKey?:id"""
USUAL = dict(member.split(':') for member in USUAL.split())
FORMS = {name: {m.partition(':')[0]: m.partition(':')[2] or USUAL.get(m.rstrip('?'), 'text') for m in members}
         for name, *members in map(str.split, re.split('[;\n]', FORMS[1:].replace('+\n', '')))}
TYPES = {
    'text': lambda v: type(v) is str, 'id': lambda v: type(v) is str and v, 'int': lambda v: type(v) is int,
    'bool': lambda v: type(v) is bool, 'object': lambda v: type(v) is dict, 'time': lambda v: milliseconds(v) >= 0,
    'digest': re.compile('[0-9a-f]{64}').fullmatch, 'hash': lambda v: len(unbase64(v)) == 32,
    'nonce': lambda v: len(unbase64(v, url=True)) == 16,
    'ids': lambda v: type(v) is list and all(map(TYPES['id'], v)) and len(set(v)) == len(v),
    'words': lambda v: type(v) is list and set(v) <= ASSURANCES['human'] | ASSURANCES['agent'],
    'proofs': lambda v: TYPES['words'](v) and TYPES['ids'](v),
    'status': lambda v: v in ('open', 'approved', 'rejected', 'canceled', 'expired')}

class Refused(Exception): __str__ = lambda self: self.args[1]  # args: code, detail
def no(detail, code='malformed'): raise Refused(code, detail)
def digest(text): return hashlib.sha256(text.encode()).hexdigest()
def unbase64(text, url=False):
    raw = base64.b64decode(text + '=' * (-len(text) % 4 if url else 0), b'-_' if url else b'+/')
    again = base64.urlsafe_b64encode(raw).rstrip(b'=') if url else base64.b64encode(raw)
    return raw if again == text.encode() else no('not canonical base64')
def milliseconds(instant):
    at = datetime.datetime.fromisoformat(instant)
    return round(at.timestamp() * 1000) if at.isoformat(timespec='milliseconds')[:23] + 'Z' == instant else no(instant)
def write(value, depth=MAX_DEPTH, plain=json.JSONEncoder(ensure_ascii=False).encode):  # canonical JSON
    if type(value) is dict and depth:
        names = sorted(value, key=lambda name: name.encode('utf-16-be'))
        return '{' + ','.join(f'{plain(name)}:{write(value[name], depth - 1)}' for name in names) + '}'
    if type(value) is list and depth: return '[' + ','.join(write(item, depth - 1) for item in value) + ']'
    allowed = value is None or type(value) in (bool, str) or type(value) is int and 0 <= value <= MAX_INTEGER
    return plain(value) if allowed else no('not a value of canonical JSON, or nested too deep')
def parse(text, kind, where):
    write(value := json.loads(text)) == text or no(f'{where} is not canonical JSON')
    return check(value, kind, where) or value
def check(value, kind, where):
    """Refuses what is not of a form, [of many], {of named ones}, one of TYPES (or/null) or of 'words'|'listed'."""
    form = FORMS.get(kind) or kind in ('Rule', 'Actor') and FORMS[f'{kind}.{value["kind"]}']
    if form:
        form = {name.rstrip('?'): inner for name, inner in form.items() if name[-1] != '?' or name[:-1] in value}
        value.keys() == form.keys() or no(f'{where} has {sorted(value)}, not {sorted(form)}')
    elif kind[0] in '[{':
        type(value) is (list if kind[0] == '[' else dict) or no(f'{where} is of another type')
        form = dict.fromkeys(range(len(value)) if kind[0] == '[' else value, kind[1:-1])
    elif value is not None or not kind.endswith('/null'):
        TYPES.get(kind.removesuffix('/null'), lambda v: f"'{v}'" in kind.split('|'))(value) or no(f'{where}: wrong')
    for name, inner in (form or {}).items(): check(value[name], inner, f'{where}.{name}')
# ---- Keys, checkpoints, proofs, signatures
def verifier_key(kind, text):
    name, key_id, encoded = text.split('+', 2)
    expected = hashlib.sha256(name.encode() + b'\n' + (raw := unbase64(encoded))).hexdigest()[:8]
    raw[0] == kind and key_id == expected and re.fullmatch(NAME, name) or no(f'{text} is no such key')
    return f'{name}+{key_id}', ed25519.Ed25519PublicKey.from_public_bytes(raw[1:])
def rsa_key(pem):
    key = serialization.load_pem_public_key(pem.encode('ascii'))
    plain = key.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo).decode()
    right = isinstance(key, rsa.RSAPublicKey) and 2048 <= key.key_size <= 16384 and plain.split() == pem.split()
    return key if right else no('not an RSA key of 2048 to 16384 bits in SPKI PEM')
def open_checkpoint(log, organization, log_key, trust):
    """Size and root of a checkpoint that the log has signed, and which of the trusted keys have signed it."""
    body, _, lines = log['checkpoint'].rpartition('\n\n')
    text, (origin, size, root), (*rows, end), signed = f'{body}\n'.encode(), body.split('\n'), lines.split('\n'), set()
    for name, encoded in (re.fullmatch(f'— ({NAME}) ([!-~]+)', row).groups() for row in rows):
        key_id, signature = f'{name}+{unbase64(encoded)[:4].hex()}', unbase64(encoded)[4:] or no('an empty signature')
        if key_id in trust.keys: trust.keys[key_id].verify(signature, text)
        elif key_id in trust.witnesses:
            time = int.from_bytes(signature[:8], 'big') or no('a cosignature of no time')
            trust.witnesses[key_id].verify(signature[8:], b'cosignature/v1\ntime %d\n' % time + text)
        else: continue
        key_id not in signed and not signed.add(key_id) or no('two signatures of one key', 'bad-checkpoint')
    right = str(int(size)) == size and 0 <= int(size) <= MAX_INTEGER and TYPES['hash'](root) and end == ''
    right &= len(set(rows)) == len(rows) <= 64 and len(log['checkpoint']) <= 262_144 and log_key in signed
    ours = origin == log['origin'] == log_key.split('+')[0] and origin.endswith(f'/log/{organization}')
    return (int(size), unbase64(root), signed) if right and ours else no('not of this log', 'bad-checkpoint')
def root_by(path, index, size, value):  # the root of a tree with this value at the index (RFC 9162, 2.1.1 and 2.1.3)
    if size == 1 or not path: return value if size == 1 and not path else no('a path of another length', 'not-in-log')
    half = 1 << (size - 1).bit_length() - 1
    inner = root_by(path[:-1], index % half, half if index < half else size - half, value)
    return hashlib.sha256(b'\1' + (inner + path[-1] if index < half else path[-1] + inner)).digest()
def read_jws(vote, organization, request):
    """What verify() of the voter's key takes, and the nonce, of a signature that says what the vote says."""
    signed, _, signature = vote['signature'].rpartition('.')
    header, claims = (json.loads(unbase64(part, url=True).decode(), parse_int=float, parse_constant=no)
                      for part in signed.split('.'))
    seats, iat, nonce = claims['seats'], claims['iat'], claims['nonce']
    said = {'iss': vote['principal'], 'org': organization, 'request': request['id'], 'digest': request['digest'],
            'stance': vote['stance'], 'seats': seats, 'iat': iat, 'nonce': nonce}
    right = header == {'alg': 'RS256', 'typ': 'quorate-vote+jws'} and claims == said and type(seats) is list \
        and list(dict.fromkeys(seats)) == vote['seats'] and re.fullmatch('[A-Za-z0-9_-]{16,128}', nonce) \
        and type(iat) is float and iat == int(iat) >= 0 and abs(milliseconds(vote['at']) - 1000 * int(iat)) <= 310_000
    right or no(f'vote {vote["seq"]}: something else was signed', 'bad-voter-signature')
    return (unbase64(signature, url=True) or no('empty'), signed.encode(), padding.PKCS1v15(), hashes.SHA256()), nonce
# ---- The rule
def nodes(rule, depth=0):
    fits = depth <= 8 and len(rule.get('assurance', ())) <= 4 and ('from' in rule or rule['atLeast'] <= len(rule['of']))
    fits and rule['atLeast'] >= 1 or no('policy: a rule beyond the limits')
    return [rule] + [node for inner in rule.get('of', ()) for node in nodes(inner, depth + 1)]
def is_met(rule, leaves):  # whether a rule holds when these of its leaves hold, in the order of nodes()
    inner = [is_met(inner, leaves) for inner in rule.get('of', ())]
    return sum(inner) >= rule['atLeast'] if inner else next(leaves)
def can_be_given(rule, leaves, masks):
    """Whether voters, none twice, can be given to leaves that meet the rule. Bit i of a number is leaf i of a set."""
    fillable = []  # by Hall's theorem: enough voters for all of them together, and for every part of them
    for chosen in range(1 << len(leaves)):
        its = [chosen >> i & 1 for i in range(len(leaves))]
        needed = sum(leaf['atLeast'] for leaf, is_in in zip(leaves, its) if is_in)
        enough = sum(n for mask, n in masks.items() if mask & chosen) >= needed
        fillable.append(enough and all(fillable[chosen ^ 1 << i] for i, is_in in enumerate(its) if is_in))
        if fillable[-1] and is_met(rule, iter(its)): return True
    return False
def replay(request, policy, entries, verified):
    """Runs the rule over votes and changes again; gives what `decision` has to be."""
    options, stages, status, stage, seq, last, decided = policy['options'], policy['stages'], 'open', 0, 0, {}, None
    leaves_of = [[node for node in nodes(stage['rule']) if 'from' in node] for stage in stages]
    def voter_of(who, person): return ('person', person) if options['naturalPersons'] and person else ('principal', who)
    def at(principal, ids):  # places of the leaves whose seat a principal means by one of these ids
        return {i for i, leaf in enumerate(leaves_of[stage]) if leaf['from']['id'] in ids
                and (leaf['from']['kind'] == 'principal') == (leaf['from']['id'] == principal)}
    def needs(places): return {word for i in places for word in leaves_of[stage][i].get('assurance', ())}
    def holds(lapsed):
        fills, rule, leaves = collections.Counter(), stages[stage]['rule'], leaves_of[stage]
        for principal, vote in last.items():
            lost = at(principal, {*lapsed[principal]}) if principal in lapsed else ()
            fills[vote['voter']] |= vote['mask'] & ~sum(1 << i for i in lost)
        masks = collections.Counter(fills.values())
        enough = (sum(n for m, n in masks.items() if m >> i & 1) >= leaf['atLeast'] for i, leaf in enumerate(leaves))
        return is_met(rule, enough) and (not options['distinctPeople'] or can_be_given(rule, leaves, masks))
    for entry in entries:
        def must(right, why, code='rule-violated'): right or no(f'leaf {entry["leaf"]["index"]}: {why}', code)
        in_time, me = milliseconds(entry['at']) < milliseconds(request['expiresAt']), entry.get('principal')
        must(status == 'open' or status == 'rejected' and options['veto'] == 'withdrawable', 'it is after the end')
        must((entry['from'], entry['stage'], entry['seq']) == (status, stage, seq + bool(me)), 'another state before')
        if me:
            seq, voter, approves = seq + 1, voter_of(me, entry['person']), entry['stance'] == 'approve'
            excluded = me == request['requester'] or voter == voter_of(request['requester'], request['person'])
            named, held = at(me, {*entry['seats']}), at(me, {*entry['seats'], *entry.get('held', ()), me})
            must(in_time and held and (options['requesterMayVote'] or not excluded), 'too late, seatless, or excluded')
            believed = set(entry['assurance']) - (set() if seq in verified else {'signature'})
            asked = needs(named) if approves else needs(held) & ASSURANCES[entry['kind']]
            missing = asked - believed if approves or options['vetoNeedsAssurance'] else set()
            must(missing.isdisjoint(entry['assurance']), f'--voter-key {me}=… is needed', 'voter-key-missing')
            must(not missing and entry['digest'] == request['digest'], f'{missing} not proved, or another digest')
            for other, ids in entry.get('lapsed', {}).items():
                stood = last[other]['seats'] if other in last and last[other]['stance'] == 'approve' else ()
                must(ids and other != me and set(ids) <= set(stood), f'{other} had no such seats')
            last[me] = entry | {'voter': voter, 'mask': sum(2**i for i in named if approves and needs([i]) <= believed)}
        stopped = options['veto'] != 'ignored' and any(vote['stance'] == 'veto' for vote in last.values())
        if me:
            passed = not stopped and holds(entry.get('lapsed', {}) if options['recheckEligibility'] else {})
            must(not passed or not options['recheckEligibility'] or 'lapsed' in entry, 'nobody looked at what lapsed')
            status = 'rejected' if stopped else 'open'
        elif passed := entry['kind'] == 'request.stage-closed':
            must(in_time and not stages[stage]['binding'] and not stopped, 'this stage cannot be closed')
        else:
            status = entry['kind'].removeprefix('request.')
            must(in_time if status == 'canceled' else not in_time and entry['actor']['kind'] == 'system', 'its time')
        if passed:
            stage, last, status = stage + 1, {}, 'open' if any(s['binding'] for s in stages[stage + 1:]) else 'approved'
        must((entry['to'], entry.get('toStage')) == (status, stage if passed else None), f'{status}, stage {stage}')
        decided = entry if entry['from'] != status else decided
    return {'status': status, 'isFinal': status != 'rejected' or options['veto'] == 'final', 'at': decided['at'],
            'seq': decided['seq'], 'leaf': decided['leaf']['index']} if status != 'open' else no('open', 'undecided')
# ---- The receipt
def verify(data, trust):
    """The account of a receipt that holds. Every other one raises something."""
    parts = ENVELOPE.fullmatch(data if len(data) <= MAX_FILE_BYTES else b'') or no('the file is not of the form')
    payload, key_id, signature = unbase64(parts[1].decode()), parts[2].decode(), unbase64(parts[3].decode())
    key_id in trust.keys or no(f'signed by {key_id}', 'unknown-key')
    trust.keys[key_id].verify(signature, b'DSSEv1 28 application/vnd.in-toto+json %d ' % len(payload) + payload)
    statement = parse(payload.decode(), 'object', 'the payload')
    (statement['_type'], statement['predicateType']) == VERSION or no('of another version', 'unknown-version')
    check(statement, 'Statement', 'statement')
    changes, decision, log, names, organization, policy, request, votes = statement['predicate'].values()  # sorted
    options, stages, rules = policy['options'], policy['stages'], [nodes(stage['rule']) for stage in policy['stages']]
    rule_text, most = write({'options': options, 'stages': stages}), 16 if options['distinctPeople'] else 1000
    fits = 1 <= len(stages) <= 10 and any(stage['binding'] for stage in stages) and sum(map(len, rules)) <= 1000
    fits &= len(rule_text.encode()) <= MAX_RULE_BYTES
    fits and all(sum('from' in node for node in rule) <= most for rule in rules) or no('policy: beyond the limits')
    size, root, signed = open_checkpoint(log, organization, key_id, trust)
    trust.witnesses.keys() <= signed or no(', '.join(trust.witnesses.keys() - signed), 'witness-missing')
    seen = set()
    def entry(item, kinds, subject=request['id'], **facts):
        """The content of an item's leaf: in the log, of such a kind, and with facts, saying what the item says."""
        leaf, where = item['leaf'], f'leaf {item["leaf"]["index"]}'
        content, value = parse(leaf['content'], 'Entry', where), bytes.fromhex(digest(f'\0{leaf["content"]}'))
        proven = leaf['index'] < size and root_by([*map(unbase64, leaf['path'])], leaf['index'], size, value) == root
        proven or no(f'{where} is not in the tree', 'not-in-log')
        expected = {'v': 1, 'org': organization, 'subject': subject, 'actor': item.get('actor', content['actor'])}
        if facts:
            facts |= {name: item[name] for name in item.keys() - NO_FACTS if item[name] is not None}
            expected |= {'at': item.get('at', item.get('createdAt')), 'facts': facts}
        told = write({name: content[name] for name in expected}) == write(expected) and content['kind'] in kinds
        told and leaf['index'] not in seen or no(f'{where} says something else, or twice', 'leaf-mismatch')
        seen.add(leaf['index'])
        return content
    def commits(leaf, name, salt, text): leaf['committed'][name] == digest(f'{salt}\0{text}') or no(name, 'bad-digest')
    made = entry(policy, ('template.created', 'template.updated'), policy['id'])
    facts = made['facts'] | {'policyDigest': policy['digest'], 'stages': stages, 'options': options}
    write(facts) == write(made['facts']) and policy['id'] == request['policy'] or no('another policy', 'leaf-mismatch')
    'name' in policy and commits(made, 'name', **policy['name'])
    actor = entry(request, ['request.created'], policyDigest=policy['digest'])['actor']
    actor | {'id': request['requester']} == actor or no('another requester', 'leaf-mismatch')
    subject = [{'name': request['id'], 'digest': {'sha256': request['digest']}}]
    statement['subject'] == subject and digest(rule_text) == policy['digest'] or no('subject or policy', 'bad-digest')
    if request['content'] is not None:
        content = parse(request['content'], 'Content', 'request.content')
        said = digest(request['content']), *map(content.get, ('dialect', 'requesterId', 'policyId', 'policyDigest'))
        known = *map(request.get, ('digest', 'dialect', 'requester', 'policy')), policy['digest']
        said == known or no('request.content', 'bad-digest')
    for change in changes: entry(change, [change['kind']], digest=request['digest'], policy=policy['id'])
    verified, nonces = set(), set()
    for vote in votes:
        me, seq, proof = vote['principal'], vote['seq'], {'signature'} & vote.keys()
        cast = entry(vote, ['vote.cast'], policy=policy['id'], **{name: digest(vote[name]) for name in proof})
        cast['actor'] | {'id': me, 'kind': vote['kind']} == cast['actor'] or no('another voter', 'leaf-mismatch')
        'reason' in vote and commits(cast, 'reason', **vote['reason'])
        if proof:
            jws, nonce = read_jws(vote, organization, request)
            'publicKey' in vote and rsa_key(vote['publicKey']).verify(*jws)
            for key in trust.voters.get(me, ()):
                with contextlib.suppress(InvalidSignature): verified.add(key.verify(*jws) or seq)
            unproved = me in trust.voters and seq not in verified or (me, nonce) in nonces
            not unproved and vote['kind'] == 'agent' or no(f'vote {seq}', 'bad-voter-signature')
            nonces.add((me, nonce))
        proof == {'signature'} & set(vote['assurance']) and (proof or 'publicKey' not in vote) or no(f'vote {seq}')
        not trust.voters or seq in verified or me in trust.unsigned or no(f'--voter-key {me}=…', 'voter-key-missing')
    for group, kinds in NAMED.items():
        for name in names[group]:
            named = entry(name, kinds, name['id'])
            commits(named, kinds[named['kind']], name['salt'], name['name'])
        TYPES['ids']([name['id'] for name in names[group]]) or no('named twice')
    first, second, *entries = sorted([policy, request, *votes, *changes], key=lambda item: item['leaf']['index'])
    ordered = [first, second, *sorted(entries, key=lambda item: 'actor' in item)] == [policy, request, *votes, *changes]
    ordered or no('leaves in another order', 'leaf-mismatch')
    trust.policy in (None, policy['digest']) or no(policy['digest'], 'other-policy')
    asks = trust.voters or any('signature' in node.get('assurance', ()) for rule in rules for node in rule)
    request['content'] is not None or trust.policy or not asks or no('--policy is needed', 'content-missing')
    right = replay(request, policy, entries, verified)
    write(right) == write(decision) or no(f'the rule gives {right}', 'rule-violated')
    return {'organization': organization, 'request': request['id'], 'content': request['content'], 'decision': decision,
            'policy': policy['digest'], 'verified': sorted(verified), 'log': log['origin'], 'signedBy': sorted(signed)}
def judge(data, trust):
    try: return {'verdict': 'verified', 'failures': [], 'account': verify(data, trust)}
    except Exception as fault:
        code = 'bad-signature' if isinstance(fault, InvalidSignature) else 'malformed'
        code, detail = fault.args if isinstance(fault, Refused) else (code, repr(fault))
        return {'verdict': 'refused', 'failures': [{'code': code, 'detail': detail[:1000]}], 'account': None}
def options_of(args):
    parser = argparse.ArgumentParser(description='Checks a Quorate receipt offline.', allow_abbrev=False)
    parser.error = no
    parser.add_argument('file', help='the receipt, or - for standard input')
    for name, read in {'--key': lambda text: verifier_key(1, text), '--witness-key': lambda text: verifier_key(4, text),
                       '--voter-key': lambda text: text.split('=', 1), '--unsigned': str}.items():
        parser.add_argument(name, type=read, action='append', default=[], required=name == '--key')
    parser.add_argument('--policy', type=lambda text: text if TYPES['digest'](text) else no('not a digest'))
    parser.add_argument('--json', action='store_true', help='print the verdict on one line')
    given = parser.parse_args(args)
    given.keys, given.witnesses = dict(given.key), dict(given.witness_key)
    pems = [(voter, rsa_key(pathlib.Path(path).read_text('ascii'))) for voter, path in given.voter_key]
    given.voters = {voter: [key for other, key in pems if other == voter] for voter, _ in pems}
    return given
def main():
    try:
        given = options_of(sys.argv[1:])
        with open(0 if given.file == '-' else given.file, 'rb') as file:
            verdict = judge(file.read(MAX_FILE_BYTES + 1), given)
    except Exception as fault:
        sys.exit(print(f'quorate_verify.py: {fault}', file=sys.stderr) or 2)
    sys.exit(print(json.dumps(verdict, indent=None if given.json else 2)) or len(verdict['failures']))
if __name__ == '__main__': main()

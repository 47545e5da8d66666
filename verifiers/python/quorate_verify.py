#!/usr/bin/env python3
"""Checks a Quorate receipt from its bytes and trusted keys alone: no store, no network, no code of `quorate verify`.

Written from docs/receipt.md, whose words it uses. Needs Python 3.11 or later and the package `cryptography`.
"""
import argparse, base64, collections, functools, hashlib, json, re, sys
from datetime import datetime, timedelta, timezone
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ed25519, padding, rsa

MAX_FILE_BYTES, MAX_RULE_BYTES, MAX_INTEGER, MAX_DEPTH = 134_217_728, 65_536, 2**53 - 1, 64
ENVELOPE = re.compile(rb'\{"payload":"([A-Za-z0-9+/]*={0,2})","payloadType":"application/vnd\.in-toto\+json","signatures":'
                      rb'\[\{"keyid":"([^"\\]+)","sig":"([A-Za-z0-9+/]+={0,2})"\}\]\}\n')
INSTANT = re.compile(r'\d{4}-\d\d-\d\dT([01]\d|2[0-3]):[0-5]\d:[0-5]\d\.\d{3}Z', re.ASCII)
EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
PROVABLE = {'human': {'stepUp', 'password', 'securityKey'}, 'agent': {'signature'}}
NAMES = {'principals': {'user.created': 'displayName', 'agent.registered': 'name'}, 'groups': {'group.created': 'name'}}
FACTS = 'seq stance stage seats held assurance digest lapsed from to toStage person dialect policy requester expiresAt'.split()
FORMS = """
Statement _type predicateType subject:[object] predicate:Predicate ; Leaf index:int content path:[hash] ; Salted salt text
Predicate organization:id request:Request policy:Policy votes:[Vote] changes:[Change] decision:object names:Names log:Log
Names principals:[Name] groups:[Name] ; Name id:id name salt leaf:Leaf ; Log origin checkpoint ; Stage binding:bool rule:Rule
Request id:id dialect policy:id requester:id person:id/null createdAt:time expiresAt:time digest:digest content:text/null +
  leaf:Leaf ; Policy id:id digest:digest stages:[Stage] options:Options name?:Salted leaf:Leaf
Content dialect name description:text/null metadata:{text} policyId:id policyDigest:digest requesterId:id revision:int
Options veto:'withdrawable'|'final'|'ignored' requesterMayVote:bool distinctPeople:bool naturalPersons:bool +
  recheckEligibility:bool vetoNeedsAssurance:bool ; Seat kind:'group'|'principal' id:id
Rule.seats kind atLeast:positive from:Seat assurance?:needs ; Rule.threshold kind atLeast:positive of:[Rule]
Vote seq:int at:time principal:id kind:'human'|'agent' person:id/null stance:'approve'|'veto'|'withdraw' stage:int seats:ids +
  held?:ids assurance:proofs digest:digest lapsed?:{some-ids} from:status to:status toStage?:int signature? publicKey? +
  reason?:Salted leaf:Leaf ; Change kind:'request.stage-closed'|'request.canceled'|'request.expired' at:time actor:Actor +
  seq:int stage:int from:status to:status toStage?:int leaf:Leaf
Entry v:int org:id kind subject:id actor:Actor at:time facts:object committed?:{digest} ; Actor.human kind id:id apiKey?:id
Actor.agent kind id:id apiKey?:id ; Actor.admin-key kind ; Actor.system kind"""
FORMS = {name: dict(member.partition(':')[::2] for member in members)
         for name, *members in map(str.split, re.split('[;\n]', FORMS.strip().replace('+\n', '')))}
TYPES = {
    '': lambda v: type(v) is str, 'id': lambda v: type(v) is str and v, 'int': lambda v: type(v) is int,
    'positive': lambda v: type(v) is int and v, 'bool': lambda v: type(v) is bool, 'object': lambda v: type(v) is dict,
    'digest': re.compile('[0-9a-f]{64}').fullmatch, 'time': lambda v: milliseconds(v) >= 0, 'text': lambda v: type(v) is str,
    'hash': lambda v: len(unbase64(v)) == 32, 'some-ids': lambda v: v and TYPES['ids'](v),
    'ids': lambda v: type(v) is list and all(map(TYPES['id'], v)) and len(set(v)) == len(v),
    'proofs': lambda v: TYPES['ids'](v) and PROVABLE['human'] | PROVABLE['agent'] >= set(v),
    'needs': lambda v: type(v) is list and len(v) <= 4 and PROVABLE['human'] | PROVABLE['agent'] >= set(v),
    'status': lambda v: v in ('open', 'approved', 'rejected', 'canceled', 'expired')}
STEP = {}  # what is being checked: whatever fails in a step, in whatever way, refuses the receipt with its code

def step(code, what): STEP.update(code=code, what=what)
def no(why): raise ValueError(why)
def sha256(text): return hashlib.sha256(text.encode()).hexdigest()
def unbase64(text, url=False):
    altchars, data = (b'-_' if url else b'+/'), text.encode('ascii')
    raw = base64.b64decode(data + b'=' * (-len(data) % 4 if url else 0), altchars)
    encoded = base64.b64encode(raw, altchars)
    return raw if data == (encoded.rstrip(b'=') if url else encoded) else no('not canonical base64')
def milliseconds(instant):
    return (datetime.fromisoformat(INSTANT.fullmatch(instant)[0]) - EPOCH) // timedelta(milliseconds=1)
def write(value, depth=MAX_DEPTH, plain=json.JSONEncoder(ensure_ascii=False).encode):
    """Canonical JSON."""
    if type(value) is dict and depth:
        names = sorted(value, key=lambda name: name.encode('utf-16-be'))
        return '{' + ','.join(f'{plain(name)}:{write(value[name], depth - 1)}' for name in names) + '}'
    if type(value) is list and depth:
        return '[' + ','.join(write(item, depth - 1) for item in value) + ']'
    allowed = value is None or type(value) in (bool, str) or type(value) is int and 0 <= value <= MAX_INTEGER
    return plain(value) if allowed else no('not a value of canonical JSON, or nested too deep')
def parse(text):
    value = json.loads(text)
    return value if write(value) == text else no('not canonical JSON')
def check(value, kind, where):
    """Refuses a value that is not of a form, [of many], {of named ones}, one of TYPES (or/null) or of 'words'|'listed'."""
    form = FORMS.get(f'{kind}.{value["kind"]}' if type(value) is dict and 'kind' in value else kind, FORMS.get(kind))
    if form and type(value) is dict:
        form = {name.rstrip('?'): inner for name, inner in form.items() if name[-1] != '?' or name[:-1] in value}
        value.keys() == form.keys() or no(f'{where} has {sorted(value)}, not {sorted(form)}')
        for name, inner in form.items():
            check(value[name], inner, f'{where}.{name}')
    elif kind[:1] in ('[', '{') and type(value) is (list if kind[0] == '[' else dict):
        for name, item in enumerate(value) if kind[0] == '[' else value.items():
            check(item, kind[1:-1], f'{where}.{name}')
    elif value is not None or not kind.endswith('/null'):
        test = TYPES.get(kind.removesuffix('/null'), lambda value: f"'{value}'" in kind.split('|'))
        test(value) or no(f'{where} is not of the form')

# Keys, checkpoints, proofs, signatures
def verifier_key(kind, text):
    name, key_id, encoded = text.split('+', 2)
    raw = unbase64(encoded)
    sound = key_id == hashlib.sha256(name.encode() + b'\n' + raw).hexdigest()[:8] and re.fullmatch(r'\S+', name)
    return f'{name}+{key_id}', ed25519.Ed25519PublicKey.from_public_bytes(raw[1:]) if sound and raw[0] == kind else no(text)
def rsa_key(pem):
    key = serialization.load_pem_public_key(pem.encode('ascii'))
    plain = key.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo).decode()
    sound = isinstance(key, rsa.RSAPublicKey) and 2048 <= key.key_size <= 16384 and plain.split() == pem.split()
    return key if sound else no('not an RSA key of 2048 to 16384 bits in SPKI PEM')
def voter_key(text):
    voter, path = text.split('=', 1)
    with open(path, encoding='ascii') as file:
        return voter, rsa_key(file.read(65536))
def open_checkpoint(note, log_key, trust):
    """Origin, size and root of a checkpoint that the log has signed, and all who have signed it."""
    body, _, lines = note.rpartition('\n\n')
    text, (origin, size, root), signed = f'{body}\n'.encode(), body.split('\n'), set()
    for line in lines.removesuffix('\n').split('\n'):
        name, encoded = re.fullmatch(r'— ([^\s+]+) ([!-~]+)', line).groups()
        key_id, signature = f'{name}+{unbase64(encoded)[:4].hex()}', unbase64(encoded)[4:] or no('an empty signature')
        if key_id in trust.keys:
            trust.keys[key_id].verify(signature, text)
        elif key_id in trust.witnesses:
            time = int.from_bytes(signature[:8], 'big', signed=True)
            trust.witnesses[key_id].verify(signature[8:] if time >= 0 else b'', b'cosignature/v1\ntime %d\n' % time + text)
        signed.add(key_id)
    lines[-1] == '\n' and origin == log_key.split('+')[0] and log_key in signed or no('not a checkpoint of this log')
    str(int(size)) == size and 0 <= int(size) <= MAX_INTEGER and TYPES['hash'](root) or no('no size or no root')
    return origin, int(size), unbase64(root), signed
def root_by(path, index, size, value):
    """The root of a tree of this size with this value at the index (RFC 9162, 2.1.1 and 2.1.3)."""
    if size == 1:
        return no('the path is too long') if path else value
    half = 1 << (size - 1).bit_length() - 1
    left = index < half
    inner = root_by(path[:-1], index if left else index - half, half if left else size - half, value)
    return hashlib.sha256(b'\1' + (inner + path[-1] if left else path[-1] + inner)).digest()
def read_jws(vote, organization, request):
    """(signature, signed bytes) and nonce of a voter's signature that says what the vote says."""
    signed, _, signature = vote['signature'].rpartition('.')
    header, claims = (json.loads(unbase64(part, url=True).decode(), parse_int=float, parse_constant=no)
                      for part in signed.split('.'))
    seats, iat, nonce = claims['seats'], claims['iat'], claims['nonce']
    said = {'iss': vote['principal'], 'org': organization, 'request': request['id'], 'digest': request['digest'],
            'stance': vote['stance'], 'seats': seats, 'iat': iat, 'nonce': nonce}
    header == {'alg': 'RS256', 'typ': 'quorate-vote+jws'} and claims == said or no('it says something else than the vote')
    type(seats) is list and list(dict.fromkeys(seats)) == vote['seats'] or no('its seats')
    type(iat) is float and iat.is_integer() and abs(milliseconds(vote['at']) - 1000 * int(iat)) <= 310_000 or no('its time')
    re.fullmatch('[A-Za-z0-9_-]{16,128}', nonce) or no('its nonce')
    return (unbase64(signature, url=True), signed.encode()), nonce
def is_signed(key, signature, text):
    try:
        return key.verify(signature, text, padding.PKCS1v15(), hashes.SHA256()) is None
    except Exception:
        return False

# The rule
def nodes(rule, depth=0):
    return [(depth, rule)] + [node for inner in rule.get('of', ()) for node in nodes(inner, depth + 1)]
def is_met(rule, leaves):
    """Whether a rule holds when these of its leaves hold, in the order of nodes()."""
    inner = [is_met(inner, leaves) for inner in rule.get('of', ())]
    return sum(inner) >= rule['atLeast'] if inner else next(leaves)
def can_be_given(rule, leaves, masks):
    """Whether voters, none twice, can be given to leaves that meet the rule. A mask is a set of leaves: bit i is leaf i."""
    fillable = []  # by Hall's theorem: enough voters for all of them together, and for every part of them
    for chosen in range(1 << len(leaves)):
        its = [i for i in range(len(leaves)) if chosen >> i & 1]
        enough = sum(n for mask, n in masks.items() if mask & chosen) >= sum(leaves[i]['atLeast'] for i in its)
        fillable.append(enough and all(fillable[chosen ^ 1 << i] for i in its))
        if fillable[chosen] and is_met(rule, (chosen >> i & 1 for i in range(len(leaves)))):
            return True
    return False
def replay(request, policy, entries, verified):
    """Runs the rule over votes and changes again; gives what `decision` has to be."""
    options, stages, status, stage, seq, last, decided = policy['options'], policy['stages'], 'open', 0, 0, {}, None
    leaves_of = [[node for _, node in nodes(stage['rule']) if 'from' in node] for stage in stages]
    def voter_of(principal, person):
        return ('person', person) if options['naturalPersons'] and person is not None else ('principal', principal)
    def at(principal, ids):
        """Places of the leaves whose seat a principal means by one of these ids."""
        return {i for i, leaf in enumerate(leaves_of[stage]) if leaf['from']['id'] in ids
                and (leaf['from']['kind'] == 'principal') == (leaf['from']['id'] == principal)}
    def needs(places):
        return {word for i in places for word in leaves_of[stage][i].get('assurance', ())}
    def holds(lapsed):
        fills, rule, leaves = collections.Counter(), stages[stage]['rule'], leaves_of[stage]
        for principal, vote in last.items():
            lost = at(principal, lapsed[principal]) if principal in lapsed else ()
            fills[vote['voter']] |= sum(1 << i for i in vote['fills'].difference(lost)) if lost else vote['mask']
        masks = collections.Counter(fills.values())
        enough = (sum(n for mask, n in masks.items() if mask >> i & 1) >= leaf['atLeast'] for i, leaf in enumerate(leaves))
        return is_met(rule, enough) and (not options['distinctPeople'] or can_be_given(rule, leaves, masks))
    for entry in entries:
        step('rule-violated', f'leaf {entry["leaf"]["index"]}')
        in_time, me, to = milliseconds(entry['at']) < milliseconds(request['expiresAt']), entry.get('principal'), stage
        status == 'open' or status == 'rejected' and options['veto'] == 'withdrawable' or no('it is after the end')
        (entry['from'], entry['stage'], entry['seq']) == (status, stage, seq + bool(me)) or no('it begins in another state')
        if me:
            seq, voter, approves = seq + 1, voter_of(me, entry['person']), entry['stance'] == 'approve'
            requester = me == request['requester'] or voter == voter_of(request['requester'], request['person'])
            held, named = at(me, entry['seats'] + entry.get('held', [])), at(me, entry['seats'])
            in_time and held and (options['requesterMayVote'] or not requester) or no('too late, of the requester, or seatless')
            believed = set(entry['assurance']) - (set() if seq in verified else {'signature'})
            asked = needs(named) if approves else needs(held) & PROVABLE[entry['kind']] if options['vetoNeedsAssurance'] else set()
            asked - believed and 'signature' in entry['assurance'] and step('voter-key-missing', f'vote {seq}: --voter-key {me}=…')
            asked <= believed or no(f'{asked - believed} not proved')
            lapsed = entry.get('lapsed', {})
            all(other != me and last[other]['stance'] == 'approve' and set(ids) <= set(last[other]['seats'])
                for other, ids in lapsed.items()) or no('what lapsed did not stand')
            fills = {i for i in named if approves and needs([i]) <= believed}
            last[me] = entry | {'voter': voter, 'fills': fills, 'mask': sum(1 << i for i in fills)}
        stopped = options['veto'] != 'ignored' and any(vote['stance'] == 'veto' for vote in last.values())
        if me:
            status, passed = 'rejected' if stopped else 'open', not stopped and holds(lapsed if options['recheckEligibility'] else {})
            passed and options['recheckEligibility'] and 'lapsed' not in entry and no('nobody looked at what lapsed')
        elif entry['kind'] == 'request.stage-closed':
            passed = in_time and not stages[stage]['binding'] and not stopped or no('this stage cannot be closed')
        else:
            status, passed = entry['kind'].removeprefix('request.'), False
            in_time == (status == 'canceled') or no('not the time for it')
        if passed:
            stage, last, status = stage + 1, {}, 'open' if any(s['binding'] for s in stages[stage + 1:]) else 'approved'
        entry['to'] == status and entry.get('toStage') == (stage if passed else None) or no(f'it gives {status}, stage {stage}')
        decided = entry if entry['from'] != status else decided
    step('undecided', 'the request')
    return {'status': status if status != 'open' else no('is open'), 'at': decided['at'], 'seq': decided['seq'],
            'isFinal': status != 'rejected' or options['veto'] == 'final', 'leaf': decided['leaf']['index']}

# The receipt
def verify(data, trust):
    """The account of a receipt that holds; fails in some step otherwise."""
    step('malformed', 'the file')
    len(data) <= MAX_FILE_BYTES or no('too large')
    payload, key_id, signature = [part.decode() for part in ENVELOPE.fullmatch(data).groups()]
    payload, signature = unbase64(payload), unbase64(signature)
    step('unknown-key', key_id)
    log_key = trust.keys[key_id]
    step('bad-signature', 'the envelope')
    log_key.verify(signature, b'DSSEv1 28 application/vnd.in-toto+json %d ' % len(payload) + payload)
    step('malformed', 'the statement')
    statement = parse(payload.decode())
    version = statement['_type'], statement['predicateType']
    version == ('https://in-toto.io/Statement/v1', 'urn:quorate:receipt:v1') or step('unknown-version', version) or no('unknown')
    check(statement, 'Statement', 'statement')
    predicate, organization = statement['predicate'], statement['predicate']['organization']
    request, policy, log = predicate['request'], predicate['policy'], predicate['log']
    votes, changes, stages, options = predicate['votes'], predicate['changes'], policy['stages'], policy['options']
    rules, rule_text = [nodes(stage['rule']) for stage in stages], write({'options': options, 'stages': stages})
    1 <= len(rules) <= 10 and any(stage['binding'] for stage in stages) and len(rule_text.encode()) <= MAX_RULE_BYTES \
        and sum(map(len, rules)) <= 1000 and all(depth <= 8 and ('from' in node or node['atLeast'] <= len(node['of']))
                                                 for rule in rules for depth, node in rule) \
        and (not options['distinctPeople'] or all(sum('from' in node for _, node in rule) <= 16 for rule in rules)) \
        or no('policy: beyond the limits of rules')
    step('bad-checkpoint', 'log')
    origin, size, root, signed = open_checkpoint(log['checkpoint'], key_id, trust)
    origin == log['origin'] and origin.endswith(f'/log/{organization}') or no('of another log')
    step('witness-missing', 'log')
    signed >= trust.witnesses.keys() or no(', '.join(trust.witnesses.keys() - signed))
    places = []
    def entry(item, kinds, **expected):
        """Opens the leaf of an item, which must be in the log, of one of these kinds and say what is expected."""
        leaf, where = item['leaf'], f'leaf {item["leaf"]["index"]}'
        step('malformed', where)
        content = parse(leaf['content'])
        check(content, 'Entry', 'content')
        step('not-in-log', where)
        path, value = [*map(unbase64, leaf['path'])], hashlib.sha256(b'\0' + leaf['content'].encode()).digest()
        leaf['index'] < size and root_by(path, leaf['index'], size, value) == root or no('not in the tree')
        step('leaf-mismatch', where)
        leaf['index'] not in places and content['kind'] in kinds or no(f'it is a {content["kind"]}, or there twice')
        places.append(leaf['index'])
        for name, value in {'v': 1, 'org': organization, **expected}.items():
            write(content[name]) == write(value) or no(f'another {name}')
        return content
    def commits(content, name, salt, text):
        step('bad-digest', f'leaf {places[-1]}')
        content['committed'][name] == sha256(f'{salt}\0{text}') or no(f'committed.{name}')
    made = entry(policy, ('template.created', 'template.updated'), subject=request['policy'])
    facts = made['facts'] | {'policyDigest': policy['digest'], 'stages': stages, 'options': options}
    write(facts) == write(made['facts']) and policy['id'] == request['policy'] or no('another policy')
    'name' in policy and commits(made, 'name', **policy['name'])
    facts = {name: request[name] for name in FACTS if request.get(name) is not None} | {'policyDigest': policy['digest']}
    opened = entry(request, ['request.created'], subject=request['id'], at=request['createdAt'], facts=facts)
    subject = [{'name': request['id'], 'digest': {'sha256': request['digest']}}]
    opened['actor'].get('id') == request['requester'] and statement['subject'] == subject or no('requester or subject')
    for change in changes:
        facts = {name: change[name] for name in FACTS if name in change} | {name: request[name] for name in ('policy', 'digest')}
        entry(change, [change['kind']], subject=request['id'], at=change['at'], actor=change['actor'], facts=facts)
        change['actor']['kind'] == 'system' or change['kind'] != 'request.expired' or no('who let it expire')
    verified, nonces = set(), set()
    for vote in votes:
        facts = {name: vote[name] for name in FACTS if vote.get(name) is not None} | {name: request[name] for name in ('policy', 'digest')}
        facts |= {'signature': sha256(vote['signature'])} if 'signature' in vote else {}
        cast = entry(vote, ['vote.cast'], subject=request['id'], at=vote['at'], facts=facts)
        cast['actor'] == cast['actor'] | {'kind': vote['kind'], 'id': vote['principal']} and vote['digest'] == request['digest'] \
            or no('another voter')
        'reason' in vote and commits(cast, 'reason', **vote['reason'])
        step('bad-voter-signature', f'vote {vote["seq"]}')
        has_one, keys = 'signature' in vote, trust.voters.get(vote['principal'], ())
        has_one == ('signature' in vote['assurance']) and (vote['kind'] == 'agent' if has_one else 'publicKey' not in vote) or no('one')
        if has_one:
            signature, nonce = read_jws(vote, organization, request)
            (vote['principal'], nonce) not in nonces or no('the same nonce twice')
            nonces.add((vote['principal'], nonce))
            'publicKey' not in vote or is_signed(rsa_key(vote['publicKey']), *signature) or no('not by publicKey')
            not keys or any(is_signed(key, *signature) for key in keys) or no('not by a key given')
            keys and verified.add(vote['seq'])
        step('voter-key-missing', f'vote {vote["seq"]}')
        not trust.voters or vote['seq'] in verified or vote['principal'] in trust.unsigned or no(f'--voter-key {vote["principal"]}=…')
    for group, kinds in NAMES.items():
        for name in predicate['names'][group]:
            named = entry(name, kinds, subject=name['id'])
            commits(named, kinds[named['kind']], name['salt'], name['name'])
        len({name['id'] for name in predicate['names'][group]}) == len(predicate['names'][group]) or no('named twice')
    step('leaf-mismatch', 'votes and changes')
    [vote['seq'] for vote in votes] == list(range(1, len(votes) + 1)) or no('seq has a gap')
    for items in ([policy, request, *votes], [request, *changes]):
        indexes = [item['leaf']['index'] for item in items]
        indexes == sorted(indexes) or no('leaves out of order')
    step('bad-digest', 'the digests')
    sha256(rule_text) == policy['digest'] or no('policy.digest')
    if request['content'] is not None:
        sha256(request['content']) == request['digest'] or no('request.digest')
        content = parse(request['content'])
        check(content, 'Content', 'request.content')
        content == content | {'dialect': request['dialect'], 'policyId': policy['id'], 'policyDigest': policy['digest'],
                              'requesterId': request['requester']} or no('another content')
    step('other-policy', policy['digest'])
    trust.policy in (None, policy['digest']) or no('not the one given')
    step('content-missing', 'request.content')
    asks = any('signature' in node.get('assurance', ()) for rule in rules for _, node in rule)
    request['content'] is not None or trust.policy or not (asks or trust.voters) or no('erased: --policy is needed')
    decision = replay(request, policy, sorted(votes + changes, key=lambda item: item['leaf']['index']), verified)
    step('rule-violated', 'decision')
    write(decision) == write(predicate['decision']) or no(f'the rule gives {decision}')
    return {'organization': organization, 'request': {name: request[name] for name in ('id', 'digest', 'content')},
            'policy': policy['digest'], 'decision': decision, 'votes': len(votes), 'signaturesVerified': sorted(verified),
            'log': {'origin': origin, 'size': size, 'signedBy': sorted(signed & (trust.keys.keys() | trust.witnesses.keys()))}}

@functools.lru_cache(64)
def options_of(*args):
    parser = argparse.ArgumentParser(description='Checks a Quorate receipt.', allow_abbrev=False)
    parser.error = no
    parser.add_argument('file', nargs='?', help='the receipt, or -')
    for name, read in {'--key': functools.partial(verifier_key, 1), '--witness-key': functools.partial(verifier_key, 4),
                       '--voter-key': voter_key, '--unsigned': str}.items():
        parser.add_argument(name, type=read, action='append', default=[])
    parser.add_argument('--policy', type=lambda text: text if TYPES['digest'](text) else no(text))
    parser.add_argument('--json', action='store_true', help='print the verdict as one object')
    parser.add_argument('--batch', action='store_true', help='standard input has lines {"receipt": "…", "args": […]}')
    given = parser.parse_args(args)
    given.keys, given.witnesses = dict(given.key), dict(given.witness_key)
    given.voters = {voter: [key for other, key in given.voter_key if other == voter] for voter, _ in given.voter_key}
    return given if given.batch or given.keys else no('--key is needed')

def judge(data, trust):
    try:
        return {'verdict': 'verified', 'failures': [], 'account': verify(data, trust)}
    except Exception as fault:
        failure = {'code': STEP['code'], 'detail': f'{STEP["what"]}: {fault}'[:500]}
        return {'verdict': 'refused', 'failures': [failure], 'account': None}

def main():
    try:
        given = options_of(*sys.argv[1:])
        for line in sys.stdin.buffer if given.batch else ():
            item = json.loads(line)
            verdict = judge(item['receipt'].encode('utf-8', 'surrogatepass'), options_of(*item['args']))
            print(json.dumps({'ok': not verdict['failures'], 'failures': verdict['failures']}), flush=True)
        if given.batch:
            return 0
        with open(0 if given.file == '-' else given.file, 'rb') as file:
            data = file.read(MAX_FILE_BYTES + 1)
    except Exception as fault:
        print(f'quorate_verify.py: {fault}', file=sys.stderr)
        return 2
    verdict = judge(data, given)
    print(json.dumps(verdict) if given.json else f'{verdict["verdict"]}\n' + json.dumps(verdict['account'] or verdict['failures'], indent=2))
    return 1 if verdict['failures'] else 0

if __name__ == '__main__':
    sys.exit(main())

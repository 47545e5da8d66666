#!/usr/bin/env python3
"""Checks a Quorate receipt from its bytes and trusted keys alone: no store, no network, no code of `quorate verify`.
Written from docs/receipt.md, whose words it uses. Needs Python 3.11 or later and the package `cryptography`."""
import argparse, base64, collections, contextlib, functools, hashlib, heapq, json, operator, re, sys
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding
from forms import *  # docs/receipt.md, "Plain forms"
MAX_FILE_BYTES, MAX_RULE_BYTES, BITS = 134_217_728, 65_536, 64
ENVELOPE = re.compile(rb'\{"payload":"([A-Za-z0-9+/]*={0,2})","payloadType":"application/vnd\.in-toto\+json",'
                      rb'"signatures":\[\{"keyid":"([!#-\[\]-~]+)","sig":"([A-Za-z0-9+/]+={0,2})"\}\]\}\n')
NAME = r'[!#-*,-\[\]-~]+'  # of a key
PARTIES = {'requester': 'person', 'beneficiary': 'beneficiaryPerson'}  # who may have no vote
NAMED = {'principals': ('user.created', 'agent.registered', 'api-client.created', 'app.created'),
         'groups': ('group.created',)}
NO_FACTS = set('id kind principal actor at createdAt content reason signature publicKey evidence leaf'.split())
ANSWERS = {'fido2': ('rpId', 'type', 'webauthn.get', 'clientDataJSON', 'authenticatorData', 'signature'),
           'u2f': ('appId', 'typ', 'navigator.id.getAssertion', 'clientData', 'signatureData')}  # of security keys
COSE_KEY = re.compile(rb'\xa5\x01\x02\x03\x26\x20\x01\x21\x58\x20(.{32})\x22\x58\x20(.{32})', re.DOTALL)
def sha256(data): return hashlib.sha256(data).digest()
def once(pairs): return value if len(value := dict(pairs)) == len(pairs) else no('a member named twice')
def union(sets): return functools.reduce(operator.or_, sets, 0)
def verifier_key(kind, text):
    name, key_id, encoded = text.split('+', 2)
    expected = hashlib.sha256(name.encode() + b'\n' + (raw := unbase64(encoded))).hexdigest()[:8]
    raw[0] == kind and key_id == expected and re.fullmatch(NAME, name) or no(f'{text} is no such key')
    return f'{name}+{key_id}', ed25519.Ed25519PublicKey.from_public_bytes(raw[1:])
def public_key(pem):  # of a voter: RSA, or on P-256
    key = serialization.load_pem_public_key(pem)
    plain = key.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    right = getattr(key, 'curve', ec.SECP256R1()).name == 'secp256r1'
    if not hasattr(key, 'curve'):
        numbers = key.public_numbers()
        right = numbers.e in range(3, 2**64, 2) and 2048 <= key.key_size <= 16384 and numbers.n % 2
    return key if pem in (plain, plain[:-1]) and right else no('not a key in its one form, or one that may not be')
def open_checkpoint(log, organization, log_key, trust):  # its size, its root, and which of the trusted keys signed it
    keys, witnesses = dict(trust.key), dict(trust.witness_key)
    all({**keys, **witnesses}[i] == key for i, key in [*trust.key, *trust.witness_key]) or no('two keys of one name')
    body, _, lines = log['checkpoint'].rpartition('\n\n')
    text, (origin, size, root), (*rows, end), signed = f'{body}\n'.encode(), body.split('\n'), lines.split('\n'), set()
    for name, encoded in (re.fullmatch(f'— ({NAME}) ([!-~]+)', row).groups() for row in rows):
        key_id, raw = f'{name}+{unbase64(encoded)[:4].hex()}', unbase64(encoded)[4:] or no('an empty signature')
        if key := keys.get(key_id): key.verify(raw, text)
        elif key := witnesses.get(key_id):
            key.verify(raw[8:], b'cosignature/v1\ntime %d\n' % (int.from_bytes(raw[:8], 'big') or no('at 0')) + text)
        not key or key_id not in signed and not signed.add(key_id) or no('two signatures of one key', 'bad-checkpoint')
    right = str(int(size)) == size and 0 <= int(size) <= MAX_INTEGER and TYPES['hash'](root) and end == ''
    right &= len(set(rows)) == len(rows) <= 64 and len(log['checkpoint'].encode()) <= 262_144 and log_key in signed
    ours = origin == log['origin'] == log_key.split('+')[0] and origin.endswith(f'/log/{organization}')
    return (int(size), unbase64(root), signed) if right and ours else no('not of this log', 'bad-checkpoint')
def root_by(path, index, size, value):  # the root of a tree with this value at the index (RFC 9162, 2.1.1 and 2.1.3)
    if size == 1 or not path: return value if size == 1 and not path else no('a path of another length', 'not-in-log')
    half = 1 << (size - 1).bit_length() - 1
    inner = root_by(path[:-1], index % half, half if index < half else size - half, value)
    return hashlib.sha256(b'\1' + (inner + path[-1] if index < half else path[-1] + inner)).digest()
def read_jws(vote, organization, request, policy):  # what verify() of the voter's key takes, and the claims
    signed, _, signature = (vote['signature'] if len(vote['signature']) <= 65_536 else '').rpartition('.')
    header, claims = (json.loads(
        unbase64(part, url=True).decode(), object_pairs_hook=once, parse_float=no, parse_constant=no,
        parse_int=lambda digits: digits.isdigit() and int(digits)) for part in signed.split('.'))
    check(claims, 'Claims', 'what the voter signed')
    said = {'iss': vote['principal'], 'org': organization, 'request': request['id'], 'digest': request['digest'],
            'policyDigest': policy['digest'], 'stage': vote['stage'], 'stance': vote['stance']}
    right = header == {'alg': 'RS256', 'typ': 'quorate-vote+jws'} and [*dict.fromkeys(claims['seats'])] == vote['seats']
    right &= claims | said == claims and abs(milliseconds(vote['at']) - 1000 * claims['iat']) <= 310_000
    right and re.fullmatch('[A-Za-z0-9_-]{16,128}', claims['nonce']) or no('something else', 'bad-voter-signature')
    return (unbase64(signature, url=True) or no('empty'), signed.encode(), padding.PKCS1v15(), hashes.SHA256()), claims
def read_answer(vote, organization, request, policy):  # of a security key; gives the key
    kept, approves = vote['evidence'], vote['stance'] == 'approve' and vote['person'] is not None
    place, member, kind, *names = ANSWERS[kept['kind']]
    client_data, start, *signature = (unbase64(kept[name], url=True) for name in names)
    if kept['kind'] == 'u2f': start, *signature = sha256(kept['appId'].encode()) + start[:5], start[5:]
    said = json.loads(client_data.decode(), object_pairs_hook=once, parse_float=str, parse_int=str, parse_constant=no)
    write(said).encode()  # refuses half characters, and what nests too deep
    approved = {'type': 'quorate-vote-challenge/1', 'organization': organization, 'request': request['id'],
                'digest': request['digest'], 'policyDigest': policy['digest'], 'stance': 'approve',
                'person': vote['person'], 'nonce': kept['nonce']}
    challenge = base64.urlsafe_b64encode(sha256(write(approved).encode())).decode().rstrip('=')
    right = approves and said | {member: kind, 'challenge': challenge, 'origin': kept['origin']} == said
    right &= kept['kind'] == 'u2f' or said.get('crossOrigin', False) is False and 'topOrigin' not in said
    right &= len(start) >= 37 and start[:32] == sha256(kept[place].encode()) and start[32] & 1
    right or no(f'vote {vote["seq"]}: a security key answered something else', 'bad-voter-signature')
    point = b'\4' + b''.join(COSE_KEY.fullmatch(unbase64(kept['publicKey'], url=True)).groups())
    key = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), point)
    return key.verify(*signature, start + sha256(client_data), ec.ECDSA(hashes.SHA256())) or key
def nodes(rule, depth=0):
    fits = depth <= 8 and len(rule.get('assurance', ())) <= 4 and ('from' in rule or rule['atLeast'] <= len(rule['of']))
    fits and rule['atLeast'] >= 1 or no('policy: a rule beyond the limits')
    return [rule] + [node for inner in rule.get('of', ()) for node in nodes(inner, depth + 1)]
def seat_of(leaf): return leaf['from']['id'], leaf['from']['kind']
def add(amount, lanes, numbers, carry=0):  # in these lanes; bit n of numbers[i] is bit i of the number of lane n
    for i, bits in enumerate(numbers):
        if (more := lanes & -(amount >> i & 1)) == carry and amount >> i in (0, -1): break  # all others stay
        numbers[i], carry = bits ^ more ^ carry, bits & more | (bits ^ more) & carry
    return numbers
def meets(rule, leaves, lanes):  # the lanes where a rule holds, by those where its leaves do, in the order of nodes()
    if 'from' in rule: return next(leaves)
    numbers = add(-rule['atLeast'], lanes, [0] * (len(rule['of']).bit_length() + 1))
    for inner in rule['of']: add(1, meets(inner, leaves, lanes), numbers)
    return lanes & ~numbers[-1]
class Tally:
    """The votes of a stage and what they fill. A set of leaves of its rule is a number: bit i is leaf i. There is a
    lane for each leaf or, with distinctPeople, each set of leaves (lane n: set n); its number is how many voters fill
    any of it, less those that it asks for. Voters can be given to a set when no subset of it is below zero (Hall)."""
    def __init__(self, rule, distinct):
        self.last, self.fills, self.vetoing, self.distinct, self.numbers = {}, {}, set(), distinct, [0] * BITS
        self.filled = collections.defaultdict(lambda: [0] * BITS)  # by voter: in how many votes they have each leaf
        self.having, leaves = collections.Counter(), [node for node in nodes(rule) if 'from' in node]
        lanes = (1 << (1 << len(leaves) if distinct else len(leaves))) - 1
        self.lanes_of = [lanes // ((1 << 2**i) + 1) << 2**i if distinct else 1 << i for i in range(len(leaves))]
        for i, leaf in enumerate(leaves):
            add(-leaf['atLeast'], self.lanes_of[i], self.numbers)
            for what in seat_of(leaf), *leaf.get('assurance', ()): self.having[what] |= 1 << i
        self.met = meets(rule, iter(self.lanes_of), lanes).__and__ if distinct else functools.cache(
            lambda good: meets(rule, (good >> i & 1 for i in range(len(leaves))), 1))
    def at(self, who, ids): return union(self.having[seat, 'principal' if who == seat else 'group'] for seat in ids)
    def first_free(self, held):  # of these leaves the first one that lacks voters
        lacks = (1 << i for i, lanes in enumerate(self.lanes_of) if self.numbers[-1] & lanes & -lanes)
        return next(filter(held.__and__, lacks), 0)
    def lanes(self, leaves): return union(lanes for i, lanes in enumerate(self.lanes_of) if leaves >> i & 1)
    def fill(self, principal, leaves, voter=None):  # from here on, and no longer what it filled before
        then, had = self.fills.get(principal, (voter, 0))
        for sign, whose, those in (-1, then, had), (1, voter or then, leaves):
            before = self.lanes(union(self.filled[whose]))
            add(sign, before ^ self.lanes(union(add(sign, those, self.filled[whose]))), self.numbers)
        self.fills[principal] = voter or then, leaves
    def holds(self):
        bad = self.numbers[-1]
        for i in range(len(self.lanes_of) if self.distinct else 0): bad |= (bad & ~self.lanes_of[i]) << (1 << i)
        return self.met(~bad) > 0
def replay(request, policy, entries, verified, doubted):  # runs the rule again; gives what `decision` has to be
    options, stages, status, stage, seq, tally = policy['options'], policy['stages'], 'open', 0, 0, None
    def voter_of(who, person): return ('person', person) if options['naturalPersons'] and person else ('principal', who)
    parties = [(request[who], request.get(of)) for who, of in PARTIES.items() if who in request]
    for before, entry in zip([{}, *entries], entries):
        def must(right, why, code='rule-violated'): right or no(f'leaf {entry["leaf"]["index"]}: {why}', code)
        if 'terms' in before or 'grantKind' in entry:  # an approval and what it changed: each has the other
            terms = {name: entry[name] for name in entry.keys() - NO_FACTS - {'seq'}}
            same = {'stance': 'approve', 'terms': terms, 'seq': entry['seq'], 'at': entry['at']}
            same |= {'kind': entry['actor']['kind'], 'principal': entry['actor'].get('id')}
            must(before | same == before and 'grantKind' in request.get('grant', ()), 'no approval changed these terms')
            continue
        in_time, me = milliseconds(entry['at']) < milliseconds(request['expiresAt']), entry.get('principal')
        must(status == 'open' or status == 'rejected' and options['veto'] == 'withdrawable', 'it is after the end')
        must((entry['from'], entry['stage'], entry['seq']) == (status, stage, seq + bool(me)), 'another state before')
        tally = tally or Tally(stages[stage]['rule'], options['distinctPeople'])
        if me:
            seq, voter, approves = seq + 1, voter_of(me, entry['person']), entry['stance'] == 'approve'
            excluded = any(me == who or voter == voter_of(who, person) for who, person in parties)
            named, held = tally.at(me, entry['seats']), tally.at(me, [*entry.get('held', entry['seats']), me])
            must(in_time and held and (options['requesterMayVote'] or not excluded), 'too late, seatless, or excluded')
            must(named & ~held == 0 and entry['digest'] == request['digest'], 'not all seats held, or another digest')
            stays, first = entry['stance'] != 'withdraw', me not in tally.last and voter not in tally.filled
            free = len(entry['seats']) == 1 and 0 < named == tally.first_free(held)
            must('singleVote' not in options or stays and first and free, 'not the one vote for the first free seat')
            must('approvesOnce' not in options or stays and (first or not approves), 'an approval stands')
            proved = set(entry['assurance']) - (set() if seq in verified else doubted)
            could = PROOFS if approves else ASSURANCES[entry['kind']] if options['vetoNeedsAssurance'] else set()
            lacks = {word for word in could if tally.having[word] & (named if approves else held)} - proved
            must(lacks.isdisjoint(entry['assurance']), f'--voter-key {me}=… is needed', 'voter-key-missing')
            must(not lacks, f'{lacks} not proved')
            tally.fill(me, named if approves else 0, voter)  # all of `named` is proved, as has just been seen
            tally.last[me], lapsed = entry, entry.get('lapsed', {})
            stops = entry['stance'] == 'veto' and options['veto'] != 'ignored'
            (tally.vetoing.add if stops else tally.vetoing.discard)(me)
            for other, ids in lapsed.items():
                stood, seats = tally.last[other]['stance'] == 'approve', {*tally.last[other]['seats']}
                must(ids and other != me and stood and {*ids} <= seats, 'what lapsed was not approved for')
                if options['recheckEligibility']: tally.fill(other, tally.at(other, seats - {*ids}))
            passed = not tally.vetoing and tally.holds()
            for other in lapsed: tally.fill(other, tally.at(other, tally.last[other]['seats']))
            must(not passed or not options['recheckEligibility'] or 'lapsed' in entry, 'nobody looked at what lapsed')
            status = 'rejected' if tally.vetoing else 'open'
        elif passed := entry['kind'] == 'request.stage-closed':
            must(in_time and not stages[stage]['binding'] and not tally.vetoing, 'this stage cannot be closed')
        else:
            status = entry['kind'].removeprefix('request.')
            must(in_time if status == 'canceled' else not in_time and entry['actor']['kind'] == 'system', 'its time')
        if passed:
            tally, stage = None, stage + 1
            status = 'open' if any(later['binding'] for later in stages[stage:]) else 'approved'
        must((entry['to'], entry.get('toStage')) == (status, stage if passed else None), f'{status}, stage {stage}')
    status != 'open' and 'terms' not in entries[-1] or no('open, or terms that nothing changed', 'undecided')
    decided = [entry for entry in entries if entry.get('from') != entry.get('to')][-1]
    return {'status': status, 'isFinal': status != 'rejected' or options['veto'] == 'final', 'at': decided['at'],
            'seq': decided['seq'], 'leaf': decided['leaf']['index']}
def verify(data, trust):  # the account of a receipt that holds; every other one raises something
    parts = ENVELOPE.fullmatch(data if len(data) <= MAX_FILE_BYTES else b'') or no('the file is not of the form')
    payload, key_id, signature = unbase64(parts[1].decode()), parts[2].decode(), unbase64(parts[3].decode())
    key = dict(trust.key).get(key_id) or no(f'signed by {key_id}', 'unknown-key')
    key.verify(signature, b'DSSEv1 28 application/vnd.in-toto+json %d ' % len(payload) + payload)
    statement = parse(payload.decode(), 'Statement', 'statement')
    changes, decision, log, names, organization, policy, request, votes = statement['predicate'].values()  # sorted
    options, stages = policy['options'], policy['stages']
    rules, rule_text = [nodes(stage['rule']) for stage in stages], write({'options': options, 'stages': stages})
    seats = [[seat_of(node) for node in rule if 'from' in node] for rule in rules]
    fits = 1 <= len(stages) <= 10 and any(stage['binding'] for stage in stages) and sum(map(len, rules)) <= 1000
    fits &= len(rule_text.encode()) <= MAX_RULE_BYTES and max(map(len, seats)) <= (1000, 16)[options['distinctPeople']]
    lasting = options['veto'] != 'withdrawable' and not options['recheckEligibility']
    lasting &= all(len({*each}) == len(each) for each in seats)
    fits &= lasting or 'singleVote' not in options
    standing = options['veto'] == 'final' and not options['recheckEligibility'] and 'singleVote' not in options
    fits and (standing or 'approvesOnce' not in options) or no('policy: beyond the limits')
    size, root, signed = open_checkpoint(log, organization, key_id, trust)
    (missing := dict(trust.witness_key).keys() - signed) and no(', '.join(missing), 'witness-missing')
    verified, earlier, seen, grant = set(), {}, set(), {name: request[name] for name in {'grant'} & request.keys()}
    def entry(item, kinds, subject=request['id'], who={}, **facts):  # the content of its leaf, which says the same
        text, index, path = item['leaf'].values()  # sorted
        content, value = parse(text, 'Entry', f'leaf {index}'), bytes.fromhex(digest(f'\0{text}'))
        proven = index < size and root_by([*map(unbase64, path)], index, size, value) == root
        proven and index not in seen or no(f'leaf {index} is not in the tree, or twice', 'not-in-log')
        expected = {'v': 1, 'org': organization, 'subject': subject, 'actor': item.get('actor', content['actor'] | who)}
        facts |= {name: item[name] for name in item.keys() - NO_FACTS if facts and item[name] is not None}
        if facts: expected |= {'at': item.get('at', item.get('createdAt')), 'facts': facts}
        told = write(content | expected) == write(content) and content['kind'] in kinds
        return seen.add(index) or content if told else no(f'leaf {index} says something else', 'leaf-mismatch')
    def commits(leaf, name, salt, text): leaf['committed'][name] == digest(f'{salt}\0{text}') or no(name, 'bad-digest')
    made = entry(policy, ('template.created', 'template.updated'), policy['id'])
    facts = made['facts'] | {'policyDigest': policy['digest'], 'stages': stages, 'options': options}
    write(facts) == write(made['facts']) and policy['id'] == request['policy'] or no('another policy', 'leaf-mismatch')
    'name' in policy and commits(made, 'name', **policy['name'])
    asked = entry(request, ['request.created'], who={'id': request['requester']}, policyDigest=policy['digest'])
    asked['actor']['kind'] in ASSURANCES or no('not asked for by a principal', 'leaf-mismatch')
    whom = request.get('beneficiary', request['requester'])
    all(role['principal'] == whom for role in grant.values()) or no('a role for another', 'leaf-mismatch')
    subject = [{'name': request['id'], 'digest': {'sha256': request['digest']}}]
    statement['subject'] == subject and digest(rule_text) == policy['digest'] or no('subject or policy', 'bad-digest')
    if (text := request['content']) is not None:
        content = parse(text, 'Content', 'request.content')
        texts = {name: value for name, value in content['metadata'].items() if type(value) is str}
        known = {'dialect': request['dialect'], 'requesterId': request['requester'], 'policyId': policy['id'],
                 'policyDigest': policy['digest'], 'metadata': texts | grant}
        write(content | known) == text and digest(text) == request['digest'] or no('request.content', 'bad-digest')
    same = {'digest': request['digest'], 'policy': policy['id']}
    for change in changes: entry(change, [change['kind']], **same if 'from' in change else {'seq': change['seq']})
    for vote in votes:
        me, seq, proof = vote['principal'], vote['seq'], {'signature'} & vote.keys()
        facts = {'policy': policy['id']} | {name: digest(vote[name]) for name in proof}
        if 'evidence' in vote: facts |= {'evidence': digest(write(vote['evidence']))}
        cast = entry(vote, ['vote.cast'], who={'id': me, 'kind': vote['kind']}, **facts)
        'reason' in vote and commits(cast, 'reason', **vote['reason'])
        keys = [key for voter, key in trust.voter_key if voter == me]
        if proof:
            jws, said = read_jws(vote, organization, request, policy)
            'publicKey' in vote and public_key(vote['publicKey'].encode()).verify(*jws)
            for key in keys:
                with contextlib.suppress(InvalidSignature, TypeError): verified.add(key.verify(*jws) or seq)
            in_order = (me, said['nonce']) not in earlier and earlier.get(me, 0) <= said['iat']
            in_order and (seq in verified or not keys) or no(f'vote {seq}', 'bad-voter-signature')
            earlier |= {me: said['iat'], (me, said['nonce']): True}
        if 'evidence' in vote:
            numbers = read_answer(vote, organization, request, policy).public_numbers()
            if numbers in [key.public_numbers() for key in keys]: verified.add(seq)
            fresh = (None, vote['evidence']['nonce']) not in earlier and (seq in verified or not keys)
            fresh or no(f'vote {seq}: a key of somebody else, or told before', 'bad-voter-signature')
            earlier[None, vote['evidence']['nonce']] = True
        right = proof == {'signature'} & {*vote['assurance']} and (proof or 'publicKey' not in vote)
        right = right and ('evidence' in vote) == ('securityKey' in vote['assurance'])
        right and ASSURANCES[vote['kind']].issuperset(vote['assurance']) or no(f'vote {seq}: not proofs of its kind')
        not trust.voter_key or seq in verified or me in trust.unsigned or no(f'--voter-key {me}=…', 'voter-key-missing')
    for kinds, name in ((NAMED[group], name) for group in names for name in names[group]):
        created = entry(name, kinds, name['id'])
        commits(created, 'displayName' if created['kind'] == 'user.created' else 'name', name['salt'], name['name'])
    all(TYPES['ids']([name['id'] for name in group]) for group in names.values()) or no('named twice')
    entries = [*heapq.merge(votes, changes, key=lambda item: item['leaf']['index'])]
    order = [(item['leaf']['index'], item.get('at', item.get('createdAt', ''))) for item in (policy, request, *entries)]
    for column, code in zip(zip(*order), ('leaf-mismatch', 'time-reversed')):
        [*column] == sorted(column) or no('leaves, or their times, in another order', code)
    trust.policy in (None, policy['digest']) or no(policy['digest'], 'other-policy')
    asks = trust.voter_key or any('signature' in node.get('assurance', ()) for rule in rules for node in rule)
    request['content'] is not None or not asks or no('what was signed was erased', 'content-missing')
    right = replay(request, policy, entries, verified, {'signature', *['securityKey'] * trust.own_keys})
    write(right) == write(decision) or no(f'the rule gives {right}', 'rule-violated')
    return statement['predicate'] | {'verified': sorted(verified), 'signedBy': sorted(signed)}
def judge(data, trust):
    try: return {'verdict': 'verified', 'failures': [], 'account': verify(data, trust)}
    except Refused as fault: code, detail = fault.args
    except InvalidSignature as fault: code, detail = 'bad-signature', repr(fault)
    except Exception as fault: code, detail = 'malformed', repr(fault)
    return {'verdict': 'refused', 'failures': [{'code': code, 'detail': detail[:1000]}], 'account': None}
def voter_key(text): return text.partition('=')[0], public_key(open(text.partition('=')[2], 'rb').read(65_536))
def options_of(args):
    parser = argparse.ArgumentParser(description='Checks a Quorate receipt offline.', allow_abbrev=False)
    parser.error = no
    parser.add_argument('file', help='the receipt, or - for standard input')
    for name, read in {'--key': functools.partial(verifier_key, 1), '--witness-key': functools.partial(verifier_key, 4),
                       '--voter-key': voter_key, '--unsigned': str}.items():
        parser.add_argument(name, type=read, action='append', default=[], required=name == '--key')
    parser.add_argument('--policy', type=lambda text: text if TYPES['digest'](text) else no('not a digest'))
    parser.add_argument('--own-keys', action='store_true', help='a security key proves nothing unless it is given')
    parser.add_argument('--json', action='store_true', help='print the verdict on one line')
    return parser.parse_args(args)
if __name__ == '__main__':
    try:
        given = options_of(sys.argv[1:])
        verdict = judge(open(0 if given.file == '-' else given.file, 'rb').read(MAX_FILE_BYTES + 1), given)
    except Exception as fault: sys.exit(print(f'quorate_verify.py: {json.dumps(str(fault))}', file=sys.stderr) or 2)
    sys.exit(print(json.dumps(verdict, indent=None if given.json else 2)) or len(verdict['failures']))

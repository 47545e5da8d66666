"""The plain forms of docs/receipt.md for quorate_verify.py: base64, instants, canonical JSON, the objects of forms.txt."""
import base64, collections, datetime, hashlib, json, os, re
MAX_INTEGER, MAX_DEPTH = 2**53 - 1, 64
ASSURANCES = {'human': {'stepUp', 'password', 'securityKey'}, 'agent': {'signature'}}
PROOFS = {*ASSURANCES['human'], *ASSURANCES['agent']}
USUAL, FORMS = {}, collections.defaultdict(dict)  # forms.txt tells what they are
for name, *members in map(str.split, open(os.path.join(os.path.dirname(__file__), 'forms.txt'))):
    if name[0] == ':': USUAL |= dict.fromkeys(members, name[1:])
    elif name != '#': FORMS[name] |= dict((*m.split(':', 1), USUAL.get(m.rstrip('?'), 'str'))[:2] for m in members)
TYPES = {'id': lambda v: type(v) is str and v, 'true': lambda v: v is True, 'proof': PROOFS.__contains__,
         'time': lambda v: milliseconds(v) >= 0, 'hash': lambda v: len(unbase64(v)) == 32,
         'bytes': lambda v: unbase64(v, url=True), 'bytes16': lambda v: len(unbase64(v, url=True)) == 16,
         'bytes32': lambda v: len(unbase64(v, url=True)) == 32, 'digest': re.compile('[0-9a-f]{64}').fullmatch,
         'ids': lambda v: type(v) is list and all(map(TYPES['id'], v)) and len(set(v)) == len(v),
         'status': ('open', 'approved', 'rejected', 'canceled', 'expired').__contains__}
class Refused(Exception): __str__ = lambda self: self.args[1]  # args: code, detail
def no(detail, code='malformed'): raise Refused(code, detail)
def digest(text): return hashlib.sha256(text.encode()).hexdigest()
def unbase64(text, url=False, alphabets=(b'+/', b'-_')):
    raw = base64.b64decode(text + '==', alphabets[url])
    again = base64.b64encode(raw, alphabets[url]).decode()
    return raw if text == again.rstrip('=' * url) else no('not canonical base64')
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
def check(value, kind, where):  # refuses what is not of a type as forms.txt writes it
    form = FORMS.get(f'{kind}.{type(value) is dict and value.get("kind", value.get("operation"))}') or FORMS.get(kind)
    if form:
        form = {name.rstrip('?'): inner for name, inner in form.items() if name[-1] != '?' or name[:-1] in value}
        value.keys() == form.keys() or no(f'{where} has {sorted(value)}, not {sorted(form)}')
    elif kind[0] in '[{':
        type(value) is (list if kind[0] == '[' else dict) or no(f'{where} is of another type')
        form = dict.fromkeys(range(len(value)) if kind[0] == '[' else value, kind[1:-1])
    else:
        fits = (TYPES.get(one, lambda v: one in (type(v).__name__, f"'{v}'"))(value) for one in kind.split('|'))
        any(fits) or no(f'{where} is not {kind}')
    for name, inner in (form or {}).items(): check(value[name], inner, f'{where}.{name}')

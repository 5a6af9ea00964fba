"""Asks dkimpy and pyspf what they think. Reads one JSON object on standard input, writes one on standard output.

{"dkim": [{"message": base64, "txt": {name: text}}]}  each signature's verdict, in order
{"sign": [{"message": base64, "key": PEM or seed, "algorithm", "selector", "domain", "canonicalize": [header, body],
           "length": bool}]}                           the signed messages, base64
{"seal": [{"message": base64, "key": PEM, "selector", "domains": [name]}]}   with an ARC set of each domain, base64
{"arc": [{"message": base64, "txt": {name: text}}]}   pass, fail or none
{"spf": {"zones": {name: {type: [value]}}, "questions": [{"address", "sender", "helo"}]}}   results
"""
import base64
import json
import sys

import dkim
import dns.name
import spf


def verdicts(case):
    message = base64.b64decode(case['message'])

    def find(name, timeout=5):
        text = case['txt'].get(name.decode().rstrip('.'))
        return None if text is None else text.encode()

    signed = dkim.DKIM(message)
    count = sum(1 for name, _ in signed.headers if name.lower() == b'dkim-signature')
    found = []
    for index in range(count):
        try:
            found.append('pass' if dkim.DKIM(message).verify(idx=index, dnsfunc=find) else 'fail')
        except dkim.DKIMException as error:
            found.append('error: ' + str(error))
    return found


def sign(case):
    header, body = (name.encode() for name in case['canonicalize'])
    message = base64.b64decode(case['message'])
    field = dkim.sign(
        message,
        case['selector'].encode(),
        case['domain'].encode(),
        case['key'].encode(),
        canonicalize=(header, body),
        signature_algorithm=case['algorithm'].encode(),
        length=case['length'],
    )
    return base64.b64encode(field + message).decode()


def seal(case):
    message = base64.b64decode(case['message'])
    for count, domain in enumerate(case['domains']):
        chain = 'pass' if count > 0 else 'none'
        results = f'Authentication-Results: {domain}; spf=pass smtp.mailfrom=x@{domain}; arc={chain}\r\n'
        message = results.encode() + message
        fields = dkim.arc_sign(
            message, case['selector'].encode(), domain.encode(), case['key'].encode(), domain.encode()
        )
        message = b''.join(fields) + message
    return base64.b64encode(message).decode()


def chain_of(case):
    def find(name, timeout=5):
        text = case['txt'].get(name.decode().rstrip('.'))
        return None if text is None else text.encode()

    verdict, _, _ = dkim.arc_verify(base64.b64decode(case['message']), dnsfunc=find)
    return verdict.decode() if isinstance(verdict, bytes) else 'none'


def check(zones, question):
    def look(name, kind, *more, **options):
        values = zones.get(str(name).rstrip('.').lower(), {}).get(kind, [])
        if kind == 'TXT':
            values = [[value.encode()] for value in values]
        elif kind == 'MX':
            values = [(value['preference'], dns.name.from_text(value['exchange'])) for value in values]
        return [((name, kind), value) for value in values]

    spf.DNSLookup = look
    result, _, _ = spf.query(i=question['address'], s=question['sender'], h=question['helo']).check()
    return result


asked = json.load(sys.stdin)
json.dump(
    {
        'dkim': [verdicts(case) for case in asked.get('dkim', [])],
        'sign': [sign(case) for case in asked.get('sign', [])],
        'seal': [seal(case) for case in asked.get('seal', [])],
        'arc': [chain_of(case) for case in asked.get('arc', [])],
        'spf': [check(asked['spf']['zones'], one) for one in asked['spf']['questions']] if 'spf' in asked else [],
    },
    sys.stdout,
)

"""Asks dkimpy and pyspf what they think. Reads one JSON object on standard input, writes one on standard output.

{"dkim": [{"message": base64, "txt": {name: text}}]}  each signature's verdict, in order
{"sign": [{"message": base64, "key": PEM or seed, "algorithm", "selector", "domain", "canonicalize": [header, body],
           "length": bool}]}                           the signed messages, base64
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
        'spf': [check(asked['spf']['zones'], one) for one in asked['spf']['questions']] if 'spf' in asked else [],
    },
    sys.stdout,
)

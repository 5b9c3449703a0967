#!/usr/bin/env python3
"""Records what a real API server makes of the objects in cases.yaml: every document is
created with dryRun=All and written with its answer to defaults/NAME.json.

usage: record.py https://HOST:PORT TOKEN NAMESPACE
"""
import json, os, ssl, sys, urllib.request, urllib.error, yaml

url, token, namespace = sys.argv[1:4]
here = os.path.dirname(os.path.abspath(__file__))
context = ssl._create_unverified_context()


def call(method, path, body=None):
    request = urllib.request.Request(url + path, method=method,
                                     data=json.dumps(body).encode() if body is not None else None)
    request.add_header('Authorization', 'Bearer ' + token)
    request.add_header('Content-Type', 'application/json')
    try:
        with urllib.request.urlopen(request, context=context) as answer:
            return json.load(answer)
    except urllib.error.HTTPError as error:
        return json.load(error)


resources = {}


def resource_of(api_version, kind):
    if api_version not in resources:
        prefix = '/apis/' if '/' in api_version else '/api/'
        resources[api_version] = call('GET', prefix + api_version)['resources']
    for r in resources[api_version]:
        if r['kind'] == kind and '/' not in r['name']:
            return r
    sys.exit(f'no resource for {api_version} {kind}')


call('POST', '/api/v1/namespaces', {'metadata': {'name': namespace}})
bad = 0
for name, document in yaml.safe_load(open(here + '/cases.yaml')).items():
    r = resource_of(document['apiVersion'], document['kind'])
    prefix = ('/apis/' if '/' in document['apiVersion'] else '/api/') + document['apiVersion']
    where = f'/namespaces/{namespace}' if r['namespaced'] else ''
    document.setdefault('metadata', {}).setdefault('name', 'a')
    answer = call('POST', f"{prefix}{where}/{r['name']}?dryRun=All&fieldManager=m", document)
    if answer.get('kind') == 'Status':
        print(name, answer['message'], file=sys.stderr)
        bad += 1
        continue
    for key in ('uid', 'creationTimestamp', 'managedFields', 'generation', 'namespace'):
        answer['metadata'].pop(key, None)
    with open(f'{here}/defaults/{name}.json', 'w') as out:
        json.dump({'in': document, 'out': answer}, out, indent=1)
        out.write('\n')
sys.exit(bad != 0)

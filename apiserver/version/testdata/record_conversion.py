#!/usr/bin/env python3
"""Records both served forms of the objects in conversion.yaml to conversion/NAME.json.

usage: record_conversion.py https://HOST:PORT TOKEN NAMESPACE
"""
import json, os, ssl, sys, urllib.request, urllib.error, yaml

url, token, namespace = sys.argv[1:4]
here = os.path.dirname(os.path.abspath(__file__))
context = ssl._create_unverified_context()
twins = {
    'autoscaling/v1': ('autoscaling/v2', 'horizontalpodautoscalers'),
    'autoscaling/v2': ('autoscaling/v1', 'horizontalpodautoscalers'),
    'v1': ('events.k8s.io/v1', 'events'),
    'events.k8s.io/v1': ('v1', 'events'),
}


def call(method, path, body=None):
    request = urllib.request.Request(url + path, method=method,
                                     data=json.dumps(body).encode() if body is not None else None)
    request.add_header('Authorization', 'Bearer ' + token)
    request.add_header('Content-Type', 'application/json')
    try:
        with urllib.request.urlopen(request, context=context) as answer:
            return json.load(answer)
    except urllib.error.HTTPError as error:
        print(json.load(error)['message'], file=sys.stderr)
        return None


def where(api_version, resource):
    prefix = '/apis/' if '/' in api_version else '/api/'
    return f'{prefix}{api_version}/namespaces/{namespace}/{resource}'


def clean(obj):
    for key in ('uid', 'creationTimestamp', 'managedFields', 'generation', 'resourceVersion'):
        obj['metadata'].pop(key, None)
    return obj


def record(name, document):
    """Creates it, reads it in both forms, and gives the other form back."""
    api = document['apiVersion']
    twin, resource = twins[api]
    made = call('POST', where(api, resource), document)
    if made is None:
        return print(name, 'refused', file=sys.stderr)
    if document.get('status'):
        made['status'] = document['status']
        made['metadata'].update(document['metadata'])
        call('PUT', where(api, resource) + '/a/status', made)
    both = [clean(call('GET', where(v, resource) + '/a')) for v in (api, twin)]
    call('DELETE', where(api, resource) + '/a')
    with open(f'{here}/conversion/{name}.json', 'w') as out:
        json.dump({'one': both[0], 'other': both[1]}, out, indent=1)
        out.write('\n')
    return both[1]


call('POST', '/api/v1/namespaces', {'metadata': {'name': namespace}})
for name, document in yaml.safe_load(open(here + '/conversion.yaml')).items():
    document['metadata'] = {'name': 'a', **document.get('metadata', {})}
    twin = record(name, document)
    if twin['kind'] != 'Event':
        record(name + '_back', twin)

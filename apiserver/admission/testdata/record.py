#!/usr/bin/env python3
"""Records what a real API server's admission says: objects to be stored, requests and their
answers, in order, to cases.json (admission_test.c replays it).

usage: record.py https://HOST:PORT TOKEN   (a fresh server, all default plugins, no controllers)
"""
import copy, json, os, ssl, sys, time, urllib.request, urllib.error

url, token = sys.argv[1:3]
context = ssl._create_unverified_context()
steps = []
NS, PSS = 'adm', 'pod-security.kubernetes.io/'
GROUPS = {'priorityclasses': 'scheduling.k8s.io', 'runtimeclasses': 'node.k8s.io',
          'storageclasses': 'storage.k8s.io', 'ingressclasses': 'networking.k8s.io',
          'ingresses': 'networking.k8s.io', 'deployments': 'apps',
          'volumeattributesclasses': 'storage.k8s.io'}
CLUSTER = {'namespaces', 'nodes', 'persistentvolumes', 'priorityclasses', 'runtimeclasses',
           'storageclasses', 'ingressclasses', 'volumeattributesclasses'}


def call(method, path, body=None):
    request = urllib.request.Request(url + path, method=method,
                                     data=json.dumps(body).encode() if body is not None else None)
    request.add_header('Authorization', 'Bearer ' + token)
    request.add_header('Content-Type', 'application/json')
    try:
        answer = urllib.request.urlopen(request, context=context)
    except urllib.error.HTTPError as error:
        answer = error
    warnings = [w[len('299 - "'):-1].replace('\\"', '"').replace('\\\\', '\\')
                for w in answer.headers.get_all('Warning') or []]
    return answer.status, json.load(answer), warnings


def path_of(resource, ns, name=None):
    group = GROUPS.get(resource, '')
    path = f'/apis/{group}/v1' if group else '/api/v1'
    if resource not in CLUSTER:
        path += f'/namespaces/{ns}'
    return path + '/' + resource + (f'/{name}' if name else '')


def clean(obj):
    for key in ('managedFields', 'uid', 'resourceVersion'):
        obj['metadata'].pop(key, None)
    return obj


def put(resource, obj, ns=NS, status=None):
    """An object that is there before: what the server keeps of it."""
    name = obj['metadata']['name']
    code, answer, _ = call('POST', path_of(resource, ns), obj)
    assert code in (201, 409), answer
    if status:
        answer = call('GET', path_of(resource, ns, name))[1]
        answer['status'] = status
        code, answer, _ = call('PUT', path_of(resource, ns, name) + '/status', answer)
        assert code == 200, answer
    answer = clean(call('GET', path_of(resource, ns, name))[1])
    steps.append({'do': 'store', 'group': GROUPS.get(resource, ''), 'resource': resource,
                  'object': answer})
    time.sleep(0.3)  # the real server looks through caches


def ask(op, resource, obj, ns=NS):
    name = obj['metadata']['name']
    old = None
    if op == 'create':
        code, answer, warnings = call('POST', path_of(resource, ns), obj)
    elif op == 'update':
        old = call('GET', path_of(resource, ns, name))[1]
        new = copy.deepcopy(old)
        new['spec'].update(obj.get('spec', {}))
        new['metadata'].setdefault('labels', {}).update(obj['metadata'].get('labels', {}))
        obj = new
        code, answer, warnings = call('PUT', path_of(resource, ns, name), obj)
    else:
        code, answer, warnings = call('DELETE', path_of(resource, ns, name))
    assert code != 422 or 'pod-security' in answer['message'], answer
    step = {'do': op, 'group': GROUPS.get(resource, ''), 'resource': resource,
            'namespace': '' if resource in CLUSTER else ns, 'object': clean(copy.deepcopy(obj)),
            'old': clean(old) if old else None, 'code': code, 'warnings': warnings}
    if code >= 400:
        step['status'] = answer
    else:
        step['answer'] = clean(answer)
    steps.append(step)


def pod(name, spec=None, container=None, **meta):
    own = {'name': 'c', 'image': 'nginx:1', **(container or {})}
    return {'metadata': {'name': name, **meta}, 'spec': {'containers': [own], **(spec or {})}}


def claim(name, size):
    return {'metadata': {'name': name}, 'spec': {
        'accessModes': ['ReadWriteOnce'], 'resources': {'requests': {'storage': size}}}}


def basics():
    put('namespaces', {'metadata': {'name': 'default'}})
    put('namespaces', {'metadata': {'name': NS}})
    ask('create', 'pods', pod('a'), 'missing')
    ask('delete', 'namespaces', {'metadata': {'name': 'default'}})
    ask('create', 'pods', pod('a'))
    ask('create', 'pods', pod('a', {'serviceAccountName': 'nope'}))
    put('serviceaccounts', {'metadata': {'name': 'default'},
                            'automountServiceAccountToken': False})
    put('serviceaccounts', {'metadata': {'name': 'pull'}, 'imagePullSecrets': [{'name': 'x'}],
                            'automountServiceAccountToken': False})
    ask('create', 'pods', pod('a'))
    ask('create', 'pods', pod('b', {'serviceAccountName': 'pull'}))
    ask('create', 'pods', pod('mirror', {'nodeName': 'n', 'serviceAccountName': 'pull'},
                              annotations={'kubernetes.io/config.mirror': 'x'}))
    put('priorityclasses', {'metadata': {'name': 'seven'}, 'value': 7,
                            'preemptionPolicy': 'Never'})
    ask('create', 'pods', pod('p1', {'priorityClassName': 'nope'}))
    ask('create', 'pods', pod('p2', {'priority': 5}))
    ask('create', 'pods', pod('p3', {'preemptionPolicy': 'Never'}))
    ask('create', 'pods', pod('p4', {'priorityClassName': 'seven'}))
    put('runtimeclasses', {'metadata': {'name': 'run'}, 'handler': 'h',
                           'overhead': {'podFixed': {'cpu': '10m'}},
                           'scheduling': {'nodeSelector': {'a': 'b'},
                                          'tolerations': [{'key': 'x', 'operator': 'Exists'}]}})
    ask('create', 'pods', pod('r1', {'runtimeClassName': 'nope'}))
    ask('create', 'pods', pod('r2', {'overhead': {'cpu': '1'}}))
    ask('create', 'pods', pod('r3', {'runtimeClassName': 'run', 'tolerations': [
        {'key': 'x', 'operator': 'Equal', 'value': '1'}]}))
    ask('create', 'pods', pod('r4', {'runtimeClassName': 'run', 'nodeSelector': {'a': 'd'}}))
    ask('create', 'nodes', {'metadata': {'name': 'n1'}})
    put('nodes', {'metadata': {'name': 'zoned', 'labels': {'topology.kubernetes.io/zone': 'z'}}})
    ask('create', 'pods', pod('t1', {'nodeName': 'zoned'}))
    ask('create', 'persistentvolumes', {'metadata': {'name': 'v'}, 'spec': {
        'capacity': {'storage': '1Gi'}, 'accessModes': ['ReadWriteOnce'],
        'hostPath': {'path': '/a'}}})
    put('storageclasses', {'metadata': {'name': 'std', 'annotations': {
        'storageclass.kubernetes.io/is-default-class': 'true'}}, 'provisioner': 'a.b/c'})
    ask('create', 'persistentvolumeclaims', claim('c1', '1Gi'))
    put('ingressclasses', {'metadata': {'name': 'ing', 'annotations': {
        'ingressclass.kubernetes.io/is-default-class': 'true'}}, 'spec': {'controller': 'a.b/c'}})
    ask('create', 'ingresses', {'metadata': {'name': 'i'}, 'spec': {
        'defaultBackend': {'service': {'name': 'a', 'port': {'number': 80}}}}})
    ask('create', 'volumeattributesclasses', {'metadata': {'name': 'v'}, 'driverName': 'a.b',
                                       'parameters': {'a': 'b'}})


def limits():
    put('namespaces', {'metadata': {'name': 'lim'}})
    put('serviceaccounts', {'metadata': {'name': 'default'},
                            'automountServiceAccountToken': False}, 'lim')
    put('limitranges', {'metadata': {'name': 'l'}, 'spec': {'limits': [
        {'type': 'Container', 'max': {'cpu': '1'}, 'min': {'memory': '10Mi'},
         'default': {'memory': '100Mi'}, 'maxLimitRequestRatio': {'cpu': '2'}},
        {'type': 'Pod', 'max': {'memory': '150Mi'}},
        {'type': 'PersistentVolumeClaim', 'max': {'storage': '5Gi'},
         'min': {'storage': '1Gi'}}]}}, 'lim')
    ask('create', 'pods', pod('c1'), 'lim')
    ask('create', 'pods', pod('c2', None, {'resources': {
        'limits': {'cpu': '2', 'memory': '5Mi'}}}), 'lim')
    ask('create', 'pods', pod('c3', {'initContainers': [{'name': 'i', 'image': 'y'}]}, {
        'resources': {'limits': {'cpu': '1'}, 'requests': {'cpu': '100m'}}}), 'lim')
    ask('create', 'pods', pod('c4', {'containers': [{'name': 'c', 'image': 'x'},
                                                    {'name': 'd', 'image': 'x'}]}), 'lim')
    ask('create', 'persistentvolumeclaims', claim('big', '10Gi'), 'lim')
    ask('create', 'persistentvolumeclaims', claim('small', '1Mi'), 'lim')


def quotas():
    put('namespaces', {'metadata': {'name': 'quo'}})
    put('serviceaccounts', {'metadata': {'name': 'default'},
                            'automountServiceAccountToken': False}, 'quo')
    hard = {'pods': '3', 'requests.cpu': '1', 'limits.memory': '1Gi', 'count/configmaps': '1',
            'services': '1', 'services.nodeports': '1', 'persistentvolumeclaims': '1',
            'requests.storage': '1Gi'}
    used = {k: '0' for k in hard}
    used['pods'], used['requests.cpu'] = '1', '500m'
    del used['count/configmaps']
    put('resourcequotas', {'metadata': {'name': 'q'}, 'spec': {'hard': {'pods': '2'}}}, 'quo',
        {'hard': hard, 'used': used})
    fits = {'resources': {'requests': {'cpu': '100m'}, 'limits': {'memory': '10Mi'}}}
    ask('create', 'pods', pod('a'), 'quo')
    ask('create', 'pods', pod('b', None, fits), 'quo')
    ask('create', 'configmaps', {'metadata': {'name': 'a'}}, 'quo')
    ask('create', 'persistentvolumeclaims', claim('p', '2Gi'), 'quo')
    ask('create', 'persistentvolumeclaims', claim('p', '1Gi'), 'quo')
    ask('create', 'pods', pod('c', None, {'resources': {
        'requests': {'cpu': '900m'}, 'limits': {'memory': '2Gi'}}}), 'quo')
    ask('create', 'pods', pod('d', None, fits), 'quo')
    ask('create', 'pods', pod('e', None, fits), 'quo')


BAD_POD = {'hostNetwork': True, 'hostPID': True, 'securityContext': {
    'seLinuxOptions': {'type': 'a', 'user': 'b'}, 'sysctls': [{'name': 'kernel.x', 'value': '1'}],
    'runAsUser': 0, 'seccompProfile': {'type': 'Unconfined'},
    'appArmorProfile': {'type': 'Unconfined'}}, 'volumes': [
        {'name': 'h', 'hostPath': {'path': '/a'}}, {'name': 'n', 'nfs': {'server': 'a', 'path': '/b'}},
        {'name': 'e', 'emptyDir': {}}]}
BAD_CONTAINER = {'securityContext': {
    'privileged': True, 'capabilities': {'add': ['SYS_ADMIN', 'NET_RAW', 'CHOWN'], 'drop': ['X']},
    'runAsNonRoot': False, 'runAsUser': 0, 'appArmorProfile': {'type': 'Unconfined'},
    'seLinuxOptions': {'type': 'q', 'role': 'r'}},
    'ports': [{'containerPort': 80, 'hostPort': 80}, {'containerPort': 81, 'hostPort': 81}],
    'livenessProbe': {'httpGet': {'port': 1, 'host': 'x'}},
    'lifecycle': {'preStop': {'tcpSocket': {'host': 'y', 'port': 1}}}}
GOOD_CONTAINER = {'securityContext': {
    'allowPrivilegeEscalation': False, 'capabilities': {'drop': ['ALL']}, 'runAsNonRoot': True,
    'seccompProfile': {'type': 'RuntimeDefault'}}}


def security():
    ask('create', 'namespaces', {'metadata': {'name': 'x', 'labels': {
        PSS + 'enforce': 'foo', PSS + 'warn-version': 'x'}}})
    sets = [{'enforce': 'baseline'}, {'enforce': 'restricted'},
            {'enforce': 'restricted', 'enforce-version': 'v1.18'},
            {'enforce': 'baseline', 'enforce-version': 'v1.10'}, {'warn': 'restricted'},
            {'enforce': 'baseline', 'warn': 'restricted', 'warn-version': 'v1.24'},
            {'enforce': 'baseline', 'enforce-version': 'v1.99'}]
    for i, labels in enumerate(sets):
        ns = f'pss{i}'
        put('namespaces', {'metadata': {
            'name': ns, 'labels': {PSS + k: v for k, v in labels.items()}}})
        put('serviceaccounts', {'metadata': {'name': 'default'},
                                'automountServiceAccountToken': False}, ns)
        ask('create', 'pods', pod('a'), ns)
        ask('create', 'pods', pod('b', BAD_POD), ns)
        ask('create', 'pods', pod('c', None, BAD_CONTAINER), ns)
        ask('create', 'pods', pod('d', BAD_POD, BAD_CONTAINER), ns)
        ask('create', 'pods', pod('e', None, GOOD_CONTAINER), ns)
        ask('create', 'pods', pod('f', {'containers': [
            {'name': 'x', 'image': 'a'}, {'name': 'y', 'image': 'b'}],
            'initContainers': [{'name': 'z', 'image': 'q'}]}), ns)
        ask('create', 'pods', pod('g', {'os': {'name': 'windows'}, 'hostNetwork': True,
                                        'securityContext': {'windowsOptions': {
                                            'hostProcess': True}}}), ns)
        ask('create', 'pods', pod('h', {'hostUsers': False}, {
            'securityContext': {'runAsUser': 0, 'procMount': 'Unmasked'}}), ns)
        ask('create', 'deployments', {'metadata': {'name': 'd'}, 'spec': {
            'selector': {'matchLabels': {'a': 'b'}}, 'template': {
                'metadata': {'labels': {'a': 'b'}},
                'spec': {'containers': [{'name': 'c', 'image': 'x'}]}}}}, ns)
    ask('update', 'namespaces', {'metadata': {'name': 'pss4', 'labels': {
        PSS + 'enforce': 'restricted'}}})


basics()
limits()
quotas()
security()
here = os.path.dirname(os.path.abspath(__file__))
with open(here + '/cases.json', 'w') as out:
    out.write('[\n' + ',\n'.join(json.dumps(s) for s in steps) + '\n]\n')
print(len(steps), 'steps')

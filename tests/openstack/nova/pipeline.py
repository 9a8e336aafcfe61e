# SPDX-License-Identifier: Apache-2.0
"""The pipeline of nova-api for tests: Debian has Nova's own file in a package that starts services."""

import pathlib

# Nova's tests have stand-ins for the two that would ask keystone.
_PIPELINE = """\
[composite:osapi_compute]
use = call:nova.api.openstack.urlmap:urlmap_factory
/: versions
/v2.1: current

[composite:current]
use = call:nova.api.auth:pipeline_factory_v21
keystone = request_id faults token context compute

[filter:request_id]
paste.filter_factory = nova.api.compute_req_id:ComputeReqIdMiddleware.factory

[filter:faults]
paste.filter_factory = nova.api.openstack:FaultWrapper.factory

[filter:token]
paste.filter_factory = keystonemiddleware.auth_token:filter_factory

[filter:context]
paste.filter_factory = nova.api.auth:NovaKeystoneContext.factory

[app:compute]
paste.app_factory = nova.api.openstack.compute:APIRouterV21.factory

[app:versions]
paste.app_factory = nova.api.openstack.compute.versions:Versions.factory
"""


def write(folder: pathlib.Path) -> str:
    path = folder / "api-paste.ini"
    path.write_text(_PIPELINE)
    return str(path)

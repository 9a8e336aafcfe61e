# SPDX-License-Identifier: Apache-2.0
"""The pipeline of nova-api for tests: Debian has Nova's own file in a package that starts services."""

import pathlib

_PIPELINE = """\
[composite:osapi_compute]
use = call:nova.api.openstack.urlmap:urlmap_factory
/: versions
/v2: legacy
/v2.1: current

[composite:current]
use = call:nova.api.auth:pipeline_factory_v21
keystone = without_keystone compute
noauth2 = without_keystone compute

[composite:legacy]
use = call:nova.api.auth:pipeline_factory_v21
keystone = without_keystone legacy_names compute
noauth2 = without_keystone legacy_names compute

[filter:without_keystone]
paste.filter_factory = nova.api.openstack.auth:NoAuthMiddleware.factory

[filter:legacy_names]
paste.filter_factory = nova.api.openstack:LegacyV2CompatibleWrapper.factory

[app:compute]
paste.app_factory = nova.api.openstack.compute:APIRouterV21.factory

[app:versions]
paste.app_factory = nova.api.openstack.compute.versions:Versions.factory
"""


def write(folder: pathlib.Path) -> str:
    path = folder / "api-paste.ini"
    path.write_text(_PIPELINE)
    return str(path)

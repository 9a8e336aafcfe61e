/* SPDX-License-Identifier: Apache-2.0 */

/* All of libattest. */

#ifndef LIBATTEST_ATTEST_H_
#define LIBATTEST_ATTEST_H_

#include "libattest/appraise.h"
#include "libattest/base.h"
#include "libattest/boot_config.h"
#include "libattest/credential.h"
#include "libattest/ek.h"
#include "libattest/eventlog.h"
#include "libattest/evidence.h"
#include "libattest/host_verdicts.h"
#include "libattest/ima.h"
#include "libattest/key.h"
#include "libattest/keylime.h"
#include "libattest/node.h"
#include "libattest/oat.h"
#include "libattest/pcrs.h"
#include "libattest/policy.h"
#include "libattest/quote.h"
#include "libattest/report.h"

#endif /* LIBATTEST_ATTEST_H_ */

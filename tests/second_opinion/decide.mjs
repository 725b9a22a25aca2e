// Decides requests of AWS by iam-simulate, which is installed in the folder of the first argument.
// Takes {documents, requests} on stdin, a request names its documents by number; prints answers.
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'

const require = createRequire(join(process.argv[2], 'package.json'))
const { runSimulation, runUnsafeSimulation } = require('@cloud-copilot/iam-simulate')
const { documents, requests } = JSON.parse(readFileSync(0, 'utf8'))
const named = (number) => ({ name: String(number), policy: documents[number] })

const simulation = (asked, contextVariables) => ({
  request: {
    principal: asked.who,
    action: asked.action,
    resource: { resource: asked.resource, accountId: asked.owner },
    contextVariables
  },
  identityPolicies: asked.identity.map(named),
  permissionBoundaryPolicies: asked.limits.slice(0, 1).map(named),
  sessionPolicy: documents[asked.limits[1]],
  serviceControlPolicies: asked.guardrails.map((level, number) => ({
    orgIdentifier: String(number),
    policies: level.map(named)
  })),
  resourceControlPolicies: [],
  resourcePolicy: asked.policy === null ? undefined : documents[asked.policy]
})

// Its own checks come first: that action, type of resource and policies exist. It leaves out keys
// that the Service Authorization Reference does not list for the action; of those, the ones that a
// request carries everywhere are put back, and the rest are told.
async function decide(asked) {
  const found = await runSimulation(simulation(asked, asked.context), {})
  if (found.resultType === 'error') return { error: found.errors.message }
  const results = found.resultType === 'single' ? [found.result] : found.results
  const left = [...new Set(results.flatMap((one) => one.ignoredContextKeys))]
  const ignored = left.filter((key) => !asked.everywhere.includes(key))
  if (ignored.length === left.length) return { decision: found.overallResult, ignored }
  const kept = Object.entries(asked.context).filter(([key]) => !ignored.includes(key))
  return { decision: runUnsafeSimulation(simulation(asked, Object.fromEntries(kept)), {}), ignored }
}

const answers = []
for (const asked of requests) answers.push(await decide(asked))
process.stdout.write(JSON.stringify(answers))

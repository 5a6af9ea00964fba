/** How reports leave: handed in as any letter of ours, with a journey; or uploaded. */
import type { Config } from '../base/config.ts'
import type { JourneySink } from '../journey/event.ts'
import type { ReportLetter, ReportPost } from '../reports/sending/world.ts'
import { upload } from '../reports/tls/upload.ts'
import type { Filed, Store } from '../store/store.ts'
import { handIn, type HandInWorld } from '../submission/hand-in.ts'
import type { SignerSource } from '../submission/signer.ts'
import type { World } from './world.ts'
import { makeHandIn } from './make-hand-in.ts'

export interface PostParts {
  readonly config: Config
  readonly world: World
  readonly store: Store
  readonly journeys: JourneySink
  readonly signer: SignerSource
  /** Told of what was filed here, for a report about a domain of ours. */
  filed(filed: readonly Filed[]): void
}

/** A report that could not be delivered for two days helps nobody any more. */
const reportLifeMs = 2 * 24 * 60 * 60_000

export function createReportPost(parts: PostParts): ReportPost {
  const post = makeHandIn(parts)
  return {
    mail: (letter) => mail(parts, post, letter),
    upload: (url, content, mediaType) => upload(parts.world, url, content, mediaType),
  }
}

async function mail({ world, filed }: PostParts, post: HandInWorld, letter: ReportLetter): Promise<void> {
  const { accepted, refused } = await handIn(post, letter.octets, {
    // RFC 5321 §4.5.5: only what a standard says so has the null reverse-path; docs/decisions/211.
    reversePath: letter.from,
    recipients: [letter.to],
    client: 'report',
    authorDomain: letter.from.slice(letter.from.lastIndexOf('@') + 1),
    // A report that bounces would only be one more letter that nobody reads.
    notify: 'NEVER',
    wishes: { tlsOptional: letter.tlsOptional },
    lifeMs: reportLifeMs,
  })
  for (const { recipient, text } of refused) {
    world.log.warn('report cannot be filed here', { to: recipient, why: text })
  }
  if (accepted !== null && accepted.filed.length > 0) filed(accepted.filed)
}

import { Command } from 'commander'
import { registerAccount } from './account.ts'
import { registerAgentCommands } from './agent/register.ts'
import { registerAlias } from './alias.ts'
import { registerBan } from './ban.ts'
import { registerBackup } from './backup.ts'
import { registerConfig } from './config.ts'
import { registerDomain } from './domain.ts'
import { registerExport } from './export.ts'
import { registerImport } from './import.ts'
import { registerLab } from './lab.ts'
import { registerQueue } from './queue.ts'
import { registerReports } from './reports.ts'
import { registerRefused } from './refused.ts'
import { registerReload } from './reload.ts'
import { registerRestore } from './restore.ts'
import { registerSendmail } from './sendmail/register.ts'
import { registerServe } from './serve.ts'
import { registerStore } from './store.ts'
import { registerUndelete } from './undelete.ts'
import { registerVerify } from './verify.ts'
import { registerWay } from './way.ts'

/** The whole command line. The rooms behind a command are loaded when it runs. */
export function createProgram(version: string): Command {
  const program = new Command('posthorn')
    .description('A complete email system in one program, in which every message’s way can be watched')
    .version(version, '-V, --version', 'print the version')
    .option('--config <file>', 'the server meant; else posthorn.toml in this folder, else the running Lab')
    .option('--lab', 'the running Lab, whatever is in this folder')
    .option('--json', 'print JSON for programs')
    .exitOverride()
    .configureHelp({ showGlobalOptions: true, sortSubcommands: false })
    .addHelpText(
      'after',
      '\nExit codes: 0 done, 1 refused, 2 wrong use, 3 not found, 4 log-in, 75 try again later.',
    )
  registerLab(program)
  registerServe(program)
  registerReload(program)
  registerAgentCommands(program)
  registerWay(program)
  registerQueue(program)
  registerReports(program)
  registerSendmail(program)
  registerRefused(program)
  registerAccount(program)
  registerDomain(program)
  registerAlias(program)
  registerBan(program)
  registerConfig(program)
  registerUndelete(program)
  registerStore(program)
  registerImport(program)
  registerExport(program)
  registerBackup(program)
  registerRestore(program)
  registerVerify(program)
  return program
}

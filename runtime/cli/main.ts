#!/usr/bin/env node
process.stderr.write('tenon: no command yet\n');
process.exitCode = 2;

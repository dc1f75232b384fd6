// Renders one template so often with npm's liquidjs: {template, data, count} on stdin.
const path = require("path");
const { Liquid } = require(path.join(path.resolve(process.argv[2]), "node_modules", "liquidjs"));
const { template, data, count } = JSON.parse(require("fs").readFileSync(0, "utf8"));
const engine = new Liquid();
const parsed = engine.parse(template);
let result;
for (let i = 0; i < Math.min(count, 2000); i++) result = engine.renderSync(parsed, data); // warm
const began = process.hrtime.bigint();
for (let i = 0; i < count; i++) result = engine.renderSync(parsed, data);
const nanoseconds = Number(process.hrtime.bigint() - began) / count;
process.stdout.write(JSON.stringify({ result, nanoseconds }));

// Queries of the GitHub adapter, their variables and what was answered are held to GitHub's GraphQL schema: a JSON list
// of `{query, variables, answer}`.

import { deepEqual } from "node:assert/strict";
import { schema as github } from "@octokit/graphql-schema";
import { buildSchema, execute, parse, validate } from "graphql";

const schema = buildSchema(github.idl, { assumeValid: true });
// An answer is one of the schema if the schema makes the same of it once more.
const fieldResolver = (source, _variables, _context, { path }) => source[path.key];
const typeResolver = () => "Commit";

for (const { query, variables, answer } of JSON.parse(process.argv[1])) {
  const document = parse(query);
  deepEqual(validate(schema, document), [], query);
  const { data, errors } = execute({
    schema,
    document,
    rootValue: answer.data,
    variableValues: variables,
    fieldResolver,
    typeResolver,
  });
  deepEqual(errors, undefined, `${query}: ${errors}`);
  deepEqual(JSON.parse(JSON.stringify(data)), answer.data);
}

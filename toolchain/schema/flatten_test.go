package schema

import (
	"slices"
	"strings"

	pschema "github.com/pulumi/pulumi/pkg/v3/codegen/schema"
)

// member is a resource, function or provider as declared.mjs prints it: paths and their types.
type member struct{ Inputs, Outputs map[string]string }

// flatten brings a generated schema into the form of declared.mjs.
func flatten(spec pschema.PackageSpec) map[string]member {
	f := flattener{spec}
	members := map[string]member{"Provider": {}}
	if provider := spec.Provider; provider != nil {
		members["Provider"] = member{Inputs: f.object(provider.InputProperties, provider.RequiredInputs)}
	}
	for token, r := range spec.Resources {
		members[qualified(token)] = member{
			Inputs:  f.object(r.InputProperties, r.RequiredInputs),
			Outputs: f.object(r.Properties, r.Required),
		}
	}
	for token, fn := range spec.Functions {
		m := member{Inputs: map[string]string{}, Outputs: map[string]string{}}
		if fn.Inputs != nil {
			m.Inputs = f.object(fn.Inputs.Properties, fn.Inputs.Required)
		}
		outputs := fn.Outputs
		if fn.ReturnType != nil {
			outputs = fn.ReturnType.ObjectTypeSpec
		}
		if outputs != nil {
			m.Outputs = f.object(outputs.Properties, outputs.Required)
		}
		members[qualified(token)] = m
	}
	return members
}

// qualified turns docker:index/service:Service into Service and command:remote:Command into remote.Command.
func qualified(token string) string {
	parts := strings.Split(token, ":")
	module, _, _ := strings.Cut(parts[1], "/")
	if module == "index" {
		return parts[2]
	}
	return module + "." + parts[2]
}

type flattener struct{ spec pschema.PackageSpec }

func (f flattener) object(properties map[string]pschema.PropertySpec, required []string) map[string]string {
	paths := map[string]string{}
	f.add(paths, "", properties, required)
	return paths
}

func (f flattener) add(into map[string]string, prefix string, properties map[string]pschema.PropertySpec, required []string) {
	for name, property := range properties {
		mark := "?"
		if slices.Contains(required, name) {
			mark = ""
		}
		f.leaves(into, prefix+name, mark, property.TypeSpec)
	}
}

func (f flattener) leaves(into map[string]string, path, mark string, t pschema.TypeSpec) {
	switch {
	case t.Ref == "pulumi.json#/Any":
		into[path] = "any" + mark
	case t.Ref == "pulumi.json#/Asset":
		into[path] = "asset" + mark
	case t.Ref == "pulumi.json#/Archive":
		into[path] = "archive" + mark
	case t.Ref != "":
		named := f.spec.Types[strings.TrimPrefix(t.Ref, "#/types/")]
		if len(named.Enum) > 0 {
			into[path] = "string" + mark
			return
		}
		into[path] = "object" + mark
		f.add(into, path+".", named.Properties, named.Required)
	case t.Type == "integer":
		into[path] = "number" + mark
	case t.Items != nil:
		f.leaves(into, path+"[]", mark, *t.Items)
	case t.AdditionalProperties != nil:
		f.leaves(into, path+"{}", mark, *t.AdditionalProperties)
	case t.Type == "object": // a map of unstated values is one of strings
		into[path+"{}"] = "string" + mark
	default:
		into[path] = t.Type + mark
	}
}
